"""Writes the pages of docs/ that are made from the code: `make docs`."""

from pathlib import Path

from pillweb.base.config import settings_page

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = {"settings.md": settings_page}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
