"""Brings the catalogues of all languages up to the sentences the code says now.

`make words` adds what is new to each `pillweb/translations/*.po`, untranslated, and
takes away what nobody says any more. The tests fail while a translation is missing.
"""

from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from pillweb.base.i18n import LANGUAGES, TRANSLATIONS

ROOT = Path(__file__).resolve().parent.parent / "pillweb"
METHODS = [
    ("**.py", "python"),
    ("templates/**.html", "jinja2"),
    ("templates/**.txt", "jinja2"),
]
# No dates and nobody's address: a line here changes when a sentence does.
HEADER = """# PillWeb in {0}.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {1}\\n"

"""
OPTIONS = {"templates/**": {"trimmed": "true", "trim_blocks": "true"}}
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "gettext_noop": None,
    "safety": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_noop": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def said_words() -> Catalog:
    """Return every sentence the code and the templates say, with where they say it."""
    catalog = Catalog(project="PillWeb", charset="utf-8")
    found = extract_from_dir(ROOT, METHODS, OPTIONS, KEYWORDS, comment_tags=("L10N:",))
    for file, _line, message, comments, context in found:
        catalog.add(message, None, [(file, 0)], (), comments, context=context)
    return catalog


def kept_words(language: str) -> Catalog:
    """Return what a language says; an empty catalogue for a new one."""
    path = TRANSLATIONS / f"{language}.po"
    if not path.exists():
        return Catalog(locale=language, project="PillWeb", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def forms(message: Message) -> tuple[str, ...]:
    """Return what a language says for a message, in each form of its plural."""
    found = message.string or ""
    return (found,) if isinstance(found, str) else tuple(found)


def main() -> None:
    """Write every catalogue anew, and say how much of each is missing."""
    said = said_words()
    for language in LANGUAGES:
        if language == "en":
            continue
        kept = kept_words(language)
        kept.update(said, no_fuzzy_matching=True, update_creation_date=False)
        kept.obsolete.clear()
        with (TRANSLATIONS / f"{language}.po").open("wb") as file:
            file.write(HEADER.format(LANGUAGES[language], kept.plural_forms).encode())
            write_po(
                file,
                kept,
                width=88,
                sort_output=True,
                include_lineno=False,
                omit_header=True,
            )
        missing = sum(not all(forms(message)) for message in kept if message.id)
        print(f"{language}: {len(kept)} sentences, {missing} missing")


if __name__ == "__main__":
    main()
