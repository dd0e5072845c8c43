"""Commands about dosing rules: `flask --app app schedules …`."""

import click

from pillweb.portals.views.import_command import import_file


@click.group("schedules")
def schedules() -> None:
    """Read and try dosing rules."""


schedules.add_command(import_file)
