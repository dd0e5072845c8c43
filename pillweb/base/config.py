"""Every setting of PillWeb, read once from the environment."""

import sys
from dataclasses import fields
from functools import cache
from typing import Any

from environs import Env, EnvError

from pillweb.base.errors import UnsafeSettingsError
from pillweb.base.known_settings import ROOT, Settings
from pillweb.base.unsafe_settings import faults_of


def read_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        UnsafeSettingsError: with every fault, one plain sentence a line.
    """
    env = Env()
    values: dict[str, Any] = {}
    faults = []
    for item in fields(Settings):
        read: Any = {bool: env.bool, int: env.int}.get(type(item.default), env.str)
        try:
            values[item.name] = read(item.name.upper(), item.default)
        except EnvError:
            faults.append(f"{item.name.upper()} must be of the kind {item.default!r}.")
    settings = Settings(**values)
    faults += faults_of(settings)
    if faults:
        raise UnsafeSettingsError("\n".join(faults))
    return settings


@cache
def settings() -> Settings:
    """Return the settings of this process, read at first use.

    Raises:
        SystemExit: they are unsafe; it says in plain sentences what to change.
    """
    try:
        return read_settings()
    except UnsafeSettingsError as faults:
        sys.exit(f"PillWeb does not start with these settings:\n{faults}")


def settings_page() -> str:
    """Return `docs/settings.md`: one row a setting."""
    rows = []
    for item in fields(Settings):
        default = str(item.default).replace(str(ROOT) + "/", "").strip()
        shown = f"`{default}`" if default else "none"
        rows.append(f"| `{item.name.upper()}` | {shown} | {item.metadata['help']} |")
    head = (
        "# Settings\n\nRead from the environment once, at start. "
        "PillWeb refuses to start on an unsafe one and says why.\n"
        "Made from `pillweb/base/known_settings.py` by `make docs`; do not edit.\n\n"
        "| name | default | what it does |\n|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    settings()
