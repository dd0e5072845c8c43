"""Commands that calculate: `flask --app app schedules preview` and `… import`.

They need no settings, no database and no secrets, so that anybody can check the rules.
"""

import json
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import click
from flask import Flask

from pillweb.portals.views.import_command import import_file
from pillweb.schedules.rules.preview import preview
from pillweb.schedules.rules.strict_json import LONGEST, read_json

WRITES = "--patient"


def is_calculation(arguments: Sequence[str]) -> bool:
    """Return whether the arguments of `flask` name a command that only calculates."""
    named = any(
        arguments[place] == "schedules" and arguments[place + 1] in schedules.commands
        for place in range(len(arguments) - 1)
    )
    return named and not any(given.startswith(WRITES) for given in arguments)


def create_calculator() -> Flask:
    """Return an app of the calculating commands alone, which starts at once."""
    app = Flask("pillweb", static_folder=None)
    app.cli.add_command(schedules)
    return app


@click.group("schedules")
def schedules() -> None:
    """Read and try dosing rules."""


schedules.add_command(import_file)


@schedules.command("preview")
@click.option("--zone", "place", required=True, help="Such as Europe/London.")
@click.option("--from", "start", help="The first instant, such as 2026-03-07T00:00Z.")
@click.option("--to", "end", help="The instant after the last.")
@click.argument("file", type=click.File("rb"), default="-")
def show_doses(place: str, start: str | None, end: str | None, file: BinaryIO) -> None:
    """Print the doses of a line (JSON, from standard input) in a window, as JSON."""
    try:
        given = read_json(_text_of(file))
        if not isinstance(given, Mapping):
            raise ValueError("Give one JSON object: the line.")  # noqa: TRY004, TRY301
        if given.get("kind") != "prn" and (start is None or end is None):
            raise click.UsageError("Give --from and --to.")
        told = preview(given, place, start, end)
    except ValueError as problem:
        raise click.ClickException(" ".join(str(problem).split())) from problem
    click.echo(json.dumps(told))


def _text_of(file: BinaryIO) -> str:
    try:
        return file.read(4 * LONGEST).decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ValueError("The JSON must be written in UTF-8.") from problem
