"""Writes the pages of docs/ that are made from the code: `make docs`."""

import json
from pathlib import Path

from pillweb.base.config import settings_page
from pillweb.transfers.rules.rows import schema

DOCS = Path(__file__).resolve().parent.parent / "docs"


def schema_page() -> str:
    """Return the JSON Schema of what is taken out."""
    return json.dumps(schema(), indent=1) + "\n"


PAGES = {"settings.md": settings_page, "pillweb.schema.json": schema_page}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
