"""Commands of whoever runs PillWeb: `flask --app app demo`, `… sign-in-help`."""

import click
from flask import Flask

from pillweb.accounts.queries import account_by_email, any_account
from pillweb.base.clock import database_now, now
from pillweb.base.config import settings
from pillweb.base.db import database
from pillweb.base.demo_password import demo_password
from pillweb.portals.actions import load_demo
from pillweb.portals.rules import CAREGIVER, ELDER
from pillweb.portals.views.schedule_commands import schedules
from pillweb.watch.actions.restoring import settle_restore


def _demo_words() -> str:
    return (
        f"  {ELDER[0]}, who takes the medicines:  {ELDER[1]}\n"
        f"  {CAREGIVER[0]}, her daughter:          {CAREGIVER[1]}\n"
        f"  Password of both: {demo_password()}"
    )


@click.command("demo")
def demo() -> None:
    """Load the demo family into an empty database; say how to sign in."""
    if not settings().on_this_machine:
        raise click.ClickException("The demo family lives on this machine only.")
    with database().transaction() as session:
        if account_by_email(session, ELDER[1]) is not None:
            click.echo("The demo family is here already.")
        elif any_account(session):
            raise click.ClickException(
                "There are accounts already: the demo family needs an empty database."
            )
        else:
            load_demo(session, password=demo_password(), now=now())
            click.echo("The demo family is loaded.")
    click.echo(_demo_words())


@click.command("sign-in-help")
def sign_in_help() -> None:
    """Say how to sign in for the first time."""
    with database().reading() as session:
        if not any_account(session):
            click.echo("Open it and make the first account, or load a demo family.")
        elif settings().on_this_machine and account_by_email(session, ELDER[1]):
            click.echo("Sign in as one of the demo family:\n" + _demo_words())
        else:
            click.echo("Sign in with your e-mail address and password.")


@click.command("admin")
@click.argument("email")
def admin(email: str) -> None:
    """Let the account of an e-mail address see which messages failed."""
    with database().transaction() as session:
        account = account_by_email(session, email)
        if account is None:
            raise click.ClickException("There is no account with this address.")
        account.is_admin = True
    click.echo("Done. The page is /admin/messages.")


@click.command("restored")
def restored() -> None:
    """Make a database that was put back from a backup safe to run."""
    with database().transaction() as session:
        done = settle_restore(session, now=database_now(session))
    click.echo(
        "The database may run again.\n"
        f"  Messages that are not sent any more: {done.messages}\n"
        f"  Reminders of the past, told of once as late: {done.reminders}\n"
        f"  Links that open nothing any more: {done.links}\n"
        f"  Browsers that have to sign in again: {done.sessions}"
    )


def install_commands(app: Flask) -> None:
    """Give `flask` these commands."""
    app.cli.add_command(demo)
    app.cli.add_command(admin)
    app.cli.add_command(sign_in_help)
    app.cli.add_command(schedules)
    app.cli.add_command(restored)
