"""Which class a medicine's name suggests, for a person to confirm: domain 4.3."""

import re

from pillweb.schedules.rules.lateness import MedicineClass

# Names and the endings they share; what is not here is ordinary until a person says.
_TIME_CRITICAL = [
    "levodopa",
    "co-careldopa",
    "co-beneldopa",
    "madopar",
    "sinemet",
    "stalevo",
    "ropinirole",
    "pramipexole",
    "rotigotine",
    "rasagiline",
    "insulin",
    "novorapid",
    "humalog",
    "lantus",
    "levemir",
    "tresiba",
    "actrapid",
    "carbamazepine",
    "tegretol",
    "valproate",
    "epilim",
    "lamotrigine",
    "levetiracetam",
    "keppra",
    "phenytoin",
    "topiramate",
    "lacosamide",
    "pyridostigmine",
    "tacrolimus",
    "ciclosporin",
    "cyclosporine",
    "mycophenolate",
    "azathioprine",
    "sirolimus",
    "desmopressin",
    "hydrocortisone",
    "fludrocortisone",
    "dolutegravir",
    "efavirenz",
    "emtricitabine",
    "tenofovir",
    "biktarvy",
]
_HIGH_ALERT = [
    "warfarin",
    "apixaban",
    "eliquis",
    "rivaroxaban",
    "xarelto",
    "edoxaban",
    "dabigatran",
    "methotrexate",
    "morphine",
    "oxycodone",
    "fentanyl",
    "buprenorphine",
    "codeine",
    "tramadol",
    "methadone",
    "hydromorphone",
    "lithium",
    "priadel",
    "digoxin",
    "clozapine",
]


def offered_class(name: str) -> MedicineClass:
    """Return the class that a medicine of this name usually has.

    It is only offered: the person who writes the plan says whether it is so.
    """
    words = set(re.findall(r"[\w-]+", name.casefold()))
    if words & set(_TIME_CRITICAL):
        return "time_critical"
    return "high_alert" if words & set(_HIGH_ALERT) else "ordinary"
