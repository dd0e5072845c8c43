"""Whatever a person reads can be said in their language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from pillweb.base.i18n import teach
from tests.house.source import name_of, python_files, tree_of
from tests.services import ROOT

MARKS = {"_", "gettext", "ngettext", "pgettext", "npgettext", "safety"}
MARKS |= {"lazy_gettext", "gettext_noop", "pgettext_noop"}
TEMPLATES = ROOT / "pillweb/templates"
PRODUCT = [
    *python_files("pillweb"),
    *sorted(file for kind in ("html", "txt") for file in TEMPLATES.rglob(f"*.{kind}")),
]
# Two words with a space between them, or one that begins as a sentence does.
SAID = re.compile(r"[^\W\d_]{2,}[,:;.]? [^\W\d_]|^[A-Z][a-z]+[.:?!]?$")
A_WORD = re.compile(r"[^\W\d_]{2,}")
TAG = re.compile(r"<!--.*?-->|<[^<>]*>", re.DOTALL)
SAID_IN_TAGS = re.compile(r'\b(?:alt|aria-label|placeholder|title)="([^"]*)"')
NOT_WORDS = re.compile(r"<style>.*?</style>", re.DOTALL)
SILENT_BLOCKS = {"width"}
AN_ENTITY = re.compile(r"&\w+;")
A_VALUE = "\N{REPLACEMENT CHARACTER}"

# Words that computers say to each other.
CODES = re.compile(
    r"SET NULL|\d+ per (?:minute|hour|day)|light dark|noindex, nofollow"
    r'|inline; filename="'
    r"|\(?\w+ IS (?:NOT )?NULL\b.*"
    r"|Allow|Bundle|Date|From|Lax|Origin|Subject|Times|To"
)
# Why nobody who is spoken to reads the words of a file.
NOT_SAID = {
    "pillweb/base/browsers.py": "the names of browsers and devices",
    "pillweb/base/clean.py": "kinds of letters",
    "pillweb/base/clock.py": "a statement for the database",
    "pillweb/base/config.py": "settings, for who runs the site",
    "pillweb/base/known_settings.py": "settings, for who runs the site",
    "pillweb/base/unsafe_settings.py": "settings, for who runs the site",
    "pillweb/base/db.py": "statements for the database",
    "pillweb/base/many_rows.py": "statements for the database",
    "pillweb/base/dumping.py": "the command line",
    "pillweb/base/demo_password.py": "the words of a password",
    "pillweb/base/fonts.py": "the names of fonts",
    "pillweb/base/i18n.py": "the English beside the other words, as HTML",
    "pillweb/base/passwords.py": "what is hashed where there is no password",
    "pillweb/base/pdf.py": "marks of HTML around words",
    "pillweb/base/render.py": "the name of a font",
    "pillweb/base/age.py": "the command line",
    "pillweb/base/line_file.py": "an error of the system, for the log",
    "pillweb/base/turns.py": "statements for the database",
    "pillweb/base/words.py": "the days of the week in English, said as CLDR has them",
    "pillweb/base/zones.py": "what is wrong with the code",
    "pillweb/channels/push_crypto.py": "a header for push services",
    "pillweb/channels/twilio.py": "the interface of a provider",
    "pillweb/outbox/models.py": "a condition for the database",
    "pillweb/portals/rules.py": "the family of the demo",
    "pillweb/portals/views/audit_commands.py": "the command line",
    "pillweb/portals/views/key_commands.py": "the command line",
    "pillweb/base/roles.py": "SQL",
    "pillweb/sync/forms.py": "what a script reads",
    "pillweb/base/hiding.py": "SQL",
    "pillweb/base/sight.py": "SQL",
    "pillweb/base/web_db.py": "SQL",
    "pillweb/base/sealed/columns.py": "SQL, and what a developer did wrong",
    "pillweb/base/sealed/writing.py": "the name of a type",
    "pillweb/portals/views/backup_commands.py": "the command line",
    "pillweb/portals/views/commands.py": "the command line",
    "pillweb/portals/views/import_command.py": "the command line",
    "pillweb/portals/views/import_drafts.py": "the command line",
    "pillweb/portals/views/plan_file.py": "a header of HTTP",
    "pillweb/portals/views/schedule_commands.py": "the command line",
    "pillweb/schedules/rules/days.py": "a line as JSON, for who writes one",
    "pillweb/schedules/rules/fhir/claims.py": "English that we read",
    "pillweb/schedules/rules/fhir/phrases.py": "English that we read",
    "pillweb/schedules/rules/fhir/quantity.py": "English that we read",
    "pillweb/schedules/rules/fhir/spelling.py": "English that we read",
    "pillweb/schedules/rules/fhir/unsaid.py": "English for other systems",
    "pillweb/schedules/rules/fields.py": "a line as JSON, for who writes one",
    "pillweb/schedules/rules/interval.py": "a line as JSON, for who writes one",
    "pillweb/schedules/rules/line_json.py": "a line as JSON, for who writes one",
    "pillweb/schedules/rules/occurrences.py": "a line as JSON, for who writes one",
    "pillweb/schedules/rules/preview.py": "the command line",
    "pillweb/schedules/rules/slots_of_day.py": "a line as JSON, for who writes one",
    "pillweb/schedules/rules/strict_json.py": "a line as JSON, for who writes one",
    "pillweb/transfers/queries/taking.py": "kinds of FHIR resources",
    "pillweb/transfers/rules/archive.py": "what is wrong with a file, for the log",
    "pillweb/transfers/rules/fhir.py": "English for other systems",
    "pillweb/transfers/rules/fields.py": "what is wrong with a file, for the log",
    "pillweb/transfers/rules/names.py": "a header of HTTP",
    "pillweb/transfers/rules/reading.py": "what is wrong with a file, for the log",
    "pillweb/transfers/rules/rows.py": "what is wrong with a file, for the log",
    "pillweb/transfers/views/account.py": "a header of HTTP",
    "pillweb/transfers/rules/wanted.py": "what is wrong with a file, for the log",
    "pillweb/templates/looks/design.html": "the parts of a page, for who builds one",
    "pillweb/templates/mailbox/list.html": "for who runs the site",
    "pillweb/templates/mailbox/show.html": "for who runs the site",
    "pillweb/channels/mime.py": "lines of a mail that machines read",
    "pillweb/looks/forms.py": "the parts of a page, for who builds one",
    "pillweb/watch/actions/backing_up.py": "the command line",
    "pillweb/watch/actions/putting_back.py": "the command line",
    "pillweb/watch/models.py": "a condition for the database",
    "pillweb/watch/rules/metrics.py": "answers to a monitor",
    "pillweb/watch/views.py": "answers to a monitor",
    "pillweb/web/server.py": "a line of the log",
}
# Words on pages that are the same in every language.
NAMES = {"PillWeb", "FHIR", "PDF", "QR"}


def unmarked(tree: ast.Module) -> Iterator[str]:
    """Yield each text in words that no translation can reach.

    Docstrings are for who reads the code, and so are names of types.
    """
    known = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node.func) in MARKS:
            known |= {id(said) for said in node.args}
        if isinstance(node, ast.arg):
            known.add(id(node.annotation))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in known
            and SAID.search(node.value)
            and not CODES.fullmatch(node.value)
        ):
            yield node.value


def called(function: ast.expr) -> str:
    """Return the last part of the name of what is called."""
    return ast.unparse(function).rpartition(".")[2]


def unmarked_of_template(source: str) -> Iterator[str]:
    """Yield what a template says in English alone: text, attributes, arguments."""
    environment = Environment(autoescape=True)
    teach(environment)
    tree = environment.parse(source)
    for block in tree.find_all(nodes.Block):
        if block.name in SILENT_BLOCKS:
            block.body = []
    text = NOT_WORDS.sub(A_VALUE, "".join(pieces(tree)))
    for said in (*SAID_IN_TAGS.findall(text), *TAG.sub(A_VALUE, text).split(A_VALUE)):
        if set(A_WORD.findall(AN_ENTITY.sub("", said))) - NAMES:
            yield " ".join(said.split())
    known = {
        id(said)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in MARKS
        for said in call.args
    }
    for const in tree.find_all(nodes.Const):
        is_text = isinstance(const.value, str) and id(const) not in known
        if is_text and SAID.search(const.value):
            yield const.value


def pieces(tree: nodes.Template) -> Iterator[str]:
    """Yield the text of a template in its order, a sign where a value stands."""
    for output in tree.find_all(nodes.Output):
        for node in output.nodes:
            yield node.data if isinstance(node, nodes.TemplateData) else A_VALUE


def said_in(file: Path) -> list[str]:
    """Return what a file of the product says in English alone."""
    if file.suffix == ".py":
        return list(unmarked(tree_of(file)))
    return list(unmarked_of_template(file.read_text(encoding="utf-8")))


def test_what_people_read_can_be_translated() -> None:
    found = {
        name_of(file): said
        for file in PRODUCT
        if not name_of(file).startswith(tuple(NOT_SAID)) and (said := said_in(file))
    }
    assert found == {}


def test_a_reason_not_to_translate_is_still_needed() -> None:
    needed = {name_of(file) for file in PRODUCT if said_in(file)}
    assert set(NOT_SAID) - needed == set()


@pytest.mark.parametrize(
    "code",
    [
        'TOLD = "Take it now."',
        'raise ValueError(f"{name} is not a day.")',
        'go(path, notice="Saved.")',
        '_("Due at %(time)s", time=f"{day} at noon")',
        '_(f"Due at {time}")',
    ],
)
def test_words_without_a_mark_are_found(code: str) -> None:
    assert len(list(unmarked(ast.parse(code)))) == 1


@pytest.mark.parametrize(
    "code",
    [
        '_("Take it now.")',
        'i18n.safety("Take it "\n"now.")',
        'ngettext("%(num)s pill left", "%(num)s pills left", 2)',
        'gettext_noop("Take it now.") if now else "later"',
        '"""What is taken now."""',
    ],
)
def test_words_with_a_mark_are_not(code: str) -> None:
    assert list(unmarked(ast.parse(code))) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Go on</p>", ["Go on"]),
        ("<p>{{ name }} has gone</p>", ["has gone"]),
        ('<img alt="A pill" src="{{ url }}">', ["A pill"]),
        ('{{ field(form.x, "For example 8am") }}', ["For example 8am"]),
        ('{{ _("Go on" if x else "Back") }}', ["Go on", "Back"]),
        ('<p class="row big">{{ _("Go on") }}</p>', []),
        ("{% trans name=x %}Go to {{ name }}{% endtrans %}", []),
        ("{# Not said at all #}<b>PillWeb</b>&nbsp;{{ x }}", []),
        ('<a href="{{ url }}" class="button">{{ _("Go on") }}</a>', []),
    ],
)
def test_a_template_is_read_as_a_person_reads_it(source: str, found: list[str]) -> None:
    assert list(unmarked_of_template(source)) == found
