"""The fonts of printed papers, beyond Latin: only those of scripts that occur."""

import re
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "static" / "vendor"
LATIN = ("Atkinson Hyperlegible Next", "Atkinson Hyperlegible Next Ext")


@dataclass(frozen=True, slots=True)
class Script:
    """A script, the family it is printed in, and where the files of its weights are."""

    letters: re.Pattern[str]
    family: str
    folder: str
    weights: tuple[int, ...] = (400, 700)


SCRIPTS = (
    Script(
        re.compile(
            "[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]"
        ),
        "Vazirmatn",
        "vazirmatn",
    ),
    Script(
        re.compile("[\u0900-\u097f\u1cd0-\u1cff\ua8e0-\ua8ff]"),
        "Noto Sans Devanagari",
        "noto-sans-devanagari",
    ),
    Script(
        re.compile("[\u1780-\u17ff\u19e0-\u19ff]"), "Noto Sans Khmer", "noto-sans-khmer"
    ),
    Script(
        re.compile("[\u2e80-\u312f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]"),
        "Noto Sans SC",
        "noto-sans-sc",
        (400,),
    ),
)
EXTENDED = re.compile("[\u0100-\u024f]")


def script_faces(text: str) -> str:
    """Return `@font-face` rules of the scripts in a text; none for Latin alone."""
    return "\n".join(
        f'@font-face{{font-family:"{script.family}";font-weight:{weight};'
        f"src:url({(VENDOR / script.folder / f'{weight}.woff').as_uri()})}}"
        for script in SCRIPTS
        if script.letters.search(text)
        for weight in script.weights
    )


def family_rule(text: str) -> str:
    """Return the rule that says which font comes first, and which where it ends.

    Letters such as ź stand in the extended font alone. It comes first where they
    occur, or a shaper may set them as z and an accent, which reads back as two.
    """
    latin = LATIN[::-1] if EXTENDED.search(text) else LATIN
    families = (*latin, *(script.family for script in SCRIPTS))
    names = ",".join(f'"{name}"' for name in families)
    return f"html{{font-family:{names},sans-serif}}"
