"""The printed page in each script: every letter is drawn, read back and in order."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from jobs.build_reports import print_report
from pillweb.adherence.rules.outcome import Outcome
from pillweb.base.fonts import SCRIPTS, script_faces
from pillweb.base.i18n import LANGUAGES, Speech, speaking
from pillweb.base.pdf import with_directions
from pillweb.base.zones import zone
from pillweb.reports.rules import Row, report_page

# A name, and a sentence with what its letters do: join, stack, reorder, carry marks.
SAID = {
    "en": ("Rosa O\u2019Brien", "Take half a tablet \u2013 with food."),
    "es": ("Rosa N\u00fa\u00f1ez", "\u00bfTom\u00f3 la p\u00edldora esta ma\u00f1ana?"),
    "zh": ("罗莎·欧阳", "早餐后服一片\uff0c请勿加倍服用。"),
    "hi": ("रोज़ा शर्मा", "नाश्ते के बाद एक गोली लें; दुगुनी न लें।"),
    "ar": ("روزا ألفاريز", "تناول قرصًا واحدًا بعد الفطور، ولا تضاعف الجرعة؟"),
    "pl": ("Róża Żółć", "Weź pół tabletki po śniadaniu, źródło: ulotka."),
    "fr": ("Zoë Bœuf", "Prenez-en à Noël\u00a0: où ça\u202f?"),
    "km": ("រ៉ូសា សុខ", "លេបថ្នាំមួយគ្រាប់ក្រោយអាហារពេលព្រឹក។"),
}
FONTS = {
    "zh": "Noto-Sans-SC",
    "hi": "Noto-Sans-Devanagari",
    "ar": "Vazirmatn",
    "km": "Noto-Sans-Khmer",
}
DAYS = {"first": date(2026, 10, 24), "last": date(2026, 11, 20)}
NOW = datetime(2026, 11, 20, 8, 5, tzinfo=UTC)


def printed(language: str, *said: str) -> PdfReader:
    """Print the page in a language, for a name and a plan in others."""
    none: list[Outcome] = []
    with speaking(Speech(language)):
        page = report_page(
            none,
            {},
            patient_name=said[0],
            place=zone("Europe/London"),
            as_of=NOW,
            **DAYS,
        )
        rows = tuple(_row(words) for words in said)
        return PdfReader(io.BytesIO(print_report(replace(page, rows=rows))))


def _row(words: str) -> Row:
    return Row(words, "500 mg", words, "28", "28", "0", "0", "", "")


def fonts_of(pdf: PdfReader) -> set[str]:
    """Return the names of the fonts in the file."""
    found: Any = pdf.pages[0]["/Resources"]
    return {
        str(font.get_object()["/BaseFont"]).split("+")[1]
        for font in found["/Font"].values()
    }


def missing(log: pytest.LogCaptureFixture) -> list[str]:
    """Return what the printer said of letters that no font has."""
    return [line for line in log.messages if ".notdef" in line]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_in_any_language_draws_every_letter(
    language: str, caplog: pytest.LogCaptureFixture
) -> None:
    pdf = printed(language, *SAID[language])
    assert len(pdf.pages) == 1
    assert missing(caplog) == []
    root: Any = pdf.trailer["/Root"]
    assert root["/Lang"] == language
    own = {FONTS[language]} if language in FONTS else set()
    named = {name for name in fonts_of(pdf) if not name.startswith("Atkinson")}
    assert {name.removesuffix("-Bold") for name in named} == own


def test_a_letter_of_no_font_would_be_noticed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    printed("en", "\ue000")
    assert missing(caplog)


def test_names_of_all_scripts_stand_on_one_page(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pdf = printed("en", *(words for pair in SAID.values() for words in pair))
    text = pdf.pages[0].extract_text()
    assert missing(caplog) == []
    for language, said in SAID.items():
        assert set("".join(said)) <= set(text) | set(" \u00a0\u202f"), language


def test_only_fonts_of_scripts_that_occur_are_looked_at() -> None:
    assert script_faces("Róża, 500 mg") == ""
    for language, name in FONTS.items():
        faces = script_faces(SAID[language][1])
        assert [one.family for one in SCRIPTS if one.family in faces] == [
            name.replace("-", " ")
        ]


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("500 mg", "ltr"),
        ("&lt;روزا&gt; Rosa", "rtl"),
        ("12 حبة", "rtl"),
        ("12", "ltr"),
        ("", "ltr"),
    ],
)
def test_what_is_set_apart_begins_where_its_first_letter_says(
    text: str, direction: str
) -> None:
    written = with_directions(f"<p><bdi>{text}</bdi></p>")
    assert written == f'<p><bdi dir="{direction}">{text}</bdi></p>'
