"""The English phrases we can compare with codes; everything else is strange to us."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
LATIN = {
    "bd": 2,
    "bid": 2,
    "tds": 3,
    "tid": 3,
    "qds": 4,
    "qid": 4,
}
BANDS = {
    "morning": "morning",
    "mornings": "morning",
    "mane": "morning",
    "afternoon": "afternoon",
    "afternoons": "afternoon",
    "lunchtime": "midday",
    "lunch time": "midday",
    "evening": "evening",
    "evenings": "evening",
    "night": "night",
    "nights": "night",
    "nightly": "night",
    "nocte": "night",
    "night-time": "night",
}
PLAIN_WORDS = frozenset(
    {
        "take",
        "taken",
        "takes",
        "taking",
        "give",
        "given",
        "swallow",
        "use",
        "apply",
        "inhale",
        "inject",
        "insert",
        "instil",
        "put",
        "dissolve",
        "whole",
        "oral",
        "orally",
        "mouth",
        "by",
        "and",
        "at",
        "the",
        "a",
        "an",
        "of",
        "your",
        "please",
        "po",
        "to",
        "be",
        "dose",
        "on",
        "in",
        "into",
    }
)

_N = r"(?P<n>\d+(?:\.\d+)?)"
_M = r"(?:\s?(?:-|to|or)\s?(?P<m>\d+(?:\.\d+)?))?"
_UNITS = (
    r"(?:tablets?|tabs?|tbl|capsules?|caps?|mg|milligrams?|mcg|micrograms?|\u03bcg|g|"
    r"grams?|kg|ml|millilitres?|milliliters?|l|litres?|puffs?|drops?|units?|iu|"
    r"patch(?:es)?|sachets?|sprays?|suppositor(?:y|ies)|lozenges?|ampoules?|vials?|"
    r"pieces?|applications?|inhalations?|actuations?|mmol|pessar(?:y|ies)|meq)"
)
_SPAN = r"(?:hours?|hrs?|h|minutes?|mins?|days?|weeks?|months?|years?)"
_END = r"(?![\w/])"
_DATE = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s)?(?:"
    r"(?P<iso>\d{4}-\d\d-\d\d)|"
    r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\s"
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|"
    r"aug(?:ust)?|sep(?:tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
    r"(?:,?\s(?P<year>\d{4}))?)" + _END
)

MOST = (
    r"(?:at\smost|(?:up\sto\s)?(?:an?\s|the\s)?max(?:imum)?(?:\sof)?:?|no\smore\sthan|"
    r"not\smore\sthan|do\snot\sexceed|up\sto(?:\san?\smaximum\sof)?)\s"
    + _N
    + r"\s?(?P<unit>"
    + _UNITS
    + r"|doses?|times?)?\s?(?:in\sany|in|per|within|every|each|a|an|/|daily)?\s?"
    r"(?:(?P<span>\d+(?:\.\d+)?)[\s-]?)?(?P<of>hours?|days?|weeks?)?"
    r"(?:\speriod)?" + _END
)
APART = (
    r"(?:at\sleast|leave(?:\sat\sleast)?|(?:a\s)?minimum(?:\sof)?|wait(?:\sat\sleast)?)"
    r"\s" + _N + r"\s?(?P<of>hours?|minutes?|mins?|hrs?|h)\s"
    r"(?:apart|between\s(?:each\sdose|doses|each))" + _END
)
AS_NEEDED = (
    r"(?:(?:only\s)?(?:as|when|if)(?:\s(?:and|or)\s(?:as|when|if))?\s"
    r"(?:needed|required|necessary)|prn|p\.r\.n\.?)"
    r"(?:\sfor\s(?P<reason>[^,.;:()\d-]+?)(?=\s*(?:[,.;:()\d-]|$|\sat\s|\sup\sto\s)))?"
    r"(?!\w)"
)
FOOD = r"with\s(?:or\s(?:just\s)?after\s)?(?:some\s)?(?:food|meals|a\smeal)" + _END
ADVICE = (
    r"(?:with\s(?:(?:a|some|plenty\sof)\s)?(?:full\s)?(?:glass\sof\s)?water|by\smouth|"
    r"swallowe?d?\swhole|do\snot\s(?:crush\sor\schew|crush|chew)|"
    r"on\sthe\stongue|day\sand\snight|as\sdirected\son\sthe\sbox)" + _END
)
EVERY_OTHER = (
    r"(?:(?:on\s)?(?:every\sother|alternate|every\ssecond|every\s2nd)\s"
    r"(?:(?P<of>days?|weeks?)|"
    r"(?P<day>mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:days?)?)"
    r"|fortnightly|every\sfortnight)" + _END
)
EVERY = (
    r"(?!every\sday"
    + _END
    + r")(?:once\s)?(?:every\s|q\s?(?=\d))(?:"
    + _N
    + _M
    + r"[\s-]?)?(?P<of>"
    + _SPAN
    + r")"
    + _END
)
HOURLY = _N + _M + r"[\s-]?(?P<of>hourly)" + _END
OFTEN = (
    r"(?:(?P<n>once|twice|thrice|\d+(?=(?:\stimes|\s?x)))(?:\stimes|\s?x)?\s?"
    r"(?:a|per|each|every|an|/)?\s?(?P<of>days?|daily|weeks?|weekly|months?|monthly|"
    r"years?|yearly|annually))" + _END
)
WEEKLY = r"(?:on\sa\s)?(?P<of>weekly|monthly|yearly|annually)(?:\sbasis)?" + _END
EVERY_DAY = r"(?:every\sday|each\sday|daily|a\sday|per\sday)" + _END
LATINS = r"(?:b\.?d|b\.?i\.?d|t\.?d\.?s|t\.?i\.?d|q\.?d\.?s|q\.?i\.?d)\.?" + _END
FROM = r"(?:from|starting(?:\son|\sfrom)?|start(?:\son)?|since)\s" + _DATE
UNTIL = r"(?:until|till|up\sto\sand\sincluding|ending(?:\son)?|to)\s" + _DATE
ON_DATE = r"(?:on\s)?" + _DATE
MONTH_DAY = (
    r"on\sthe\s(?P<n>\d{1,2})(?:st|nd|rd|th)"
    r"(?:\s\(or\sthe\slast\sday\sof\sa\sshorter\smonth\))?"
    r"(?=\s(?:of\s)?every|\sof\s(?:each|the)\smonth|,|$)"
    r"(?:\sof\s(?:each|the)\smonth)?"
)
MEAL = (
    r"(?:" + _N + r"\s?(?P<of>minutes?|mins?|hours?)\s)?"
    r"(?P<side>before|after|with|at|on)\s(?:your\s|the\s)?"
    r"(?P<meal>breakfast|lunch|dinner|supper|evening\smeal|bedtime|going\sto\sbed|bed|"
    r"getting\sup|waking\sup|waking|meals|each\smeal|food)" + _END
)
BAND = (
    r"(?:in\sthe\s|each\s|every\s|at\s)?"
    r"(?P<band>mornings?|mane|afternoons?|lunch\s?time|evenings?|night-time|nightly|"
    r"nights?|nocte)" + _END
)
WEEKDAY = (
    r"(?:on\s|every\s|each\s)?(?P<day>mon(?:days?)?|tue(?:s(?:days?)?)?|"
    r"wed(?:nesdays?)?|thu(?:rs(?:days?)?)?|fri(?:days?)?|sat(?:urdays?)?|"
    r"sun(?:days?)?)" + _END
)
WEEK_PART = (
    r"(?:on\s|at\s|every\s|each\s)?(?:the\s)?(?P<part>weekends?|weekdays?)" + _END
)
ANOTHER_MEAL = r"(?P<meal>breakfast|lunch|dinner|supper|evening\smeal|bedtime)" + _END
CLOCK = (
    r"(?:(?:12\s)?(?:midday|noon|midnight)|(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?"
    r"(?(minute)(?::00)?)\s?(?P<half>am|pm)?(?:(?<=am)|(?<=pm)|(?<=:\d\d)|(?<=:00:00)))"
    + _END
)
LENGTH = (
    r"(?:for\s(?:the\snext\s|the\sfirst\s)?)" + _N + r"[\s-]?(?P<of>days?|weeks?|"
    r"months?|years?|hours?)" + _END
)
COUNT = r"(?:for\s)?" + r"(?P<n>\d+)\sdoses?(?:\sin\s(?:all|total))?" + _END
STOP = r"(?:and\s|,\s?)?then\sstop" + _END
ONCE = r"(?:once|single\sdose|as\sa\ssingle\sdose|stat)" + _END
AMOUNT = _N + _M + r"(?:[\s-]?(?P<unit>" + _UNITS + r")" + _END + r"|(?![\w.:/%]))"
