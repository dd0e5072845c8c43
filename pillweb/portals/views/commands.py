"""Commands of whoever runs PillWeb: `flask --app app demo`, `… sign-in-help`."""

from textwrap import wrap

import click
from flask import Flask

from pillweb.accounts.actions.sessions import end_sessions
from pillweb.accounts.actions.telling import tell_change
from pillweb.accounts.queries import account_by_email, any_account, set_up_code
from pillweb.accounts.rules import SIGNED_OUT
from pillweb.audit.actions import append_entry
from pillweb.base.clock import now
from pillweb.base.config import settings
from pillweb.base.db import database
from pillweb.base.demo_password import demo_password
from pillweb.base.roles import make_web_role
from pillweb.base.visits import COMMAND, HOUSE, Visit
from pillweb.base.web_db import WEB_ROLE
from pillweb.portals.actions import load_demo
from pillweb.portals.rules import CAREGIVER, ELDER
from pillweb.portals.views.audit_commands import audit
from pillweb.portals.views.backup_commands import BACKUP_COMMANDS
from pillweb.portals.views.key_commands import keys
from pillweb.portals.views.schedule_commands import schedules


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
            if settings().on_this_machine:
                words = "Open it and make the first account, or load a demo family."
            else:
                code = " ".join(wrap(set_up_code().upper(), 4))
                words = f"Open it and make the first account; the set-up code: {code}"
            click.echo(words)
        elif settings().on_this_machine and account_by_email(session, ELDER[1]):
            click.echo("Sign in as one of the demo family:\n" + _demo_words())
        else:
            click.echo("Sign in with your e-mail address.")


@click.command("admin")
@click.argument("email")
def admin(email: str) -> None:
    """Let the account of an e-mail address see which messages failed."""
    with database().transaction() as session:
        account = account_by_email(session, email)
        if account is None:
            raise click.ClickException("There is no account with this address.")
        account.is_admin = True
        # Whoever may do more than before signs in anew.
        end_sessions(session, account.id, now=now())
        append_entry(
            session,
            Visit(HOUSE, COMMAND),
            act="commands.admin",
            ids={"account_id": account.id},
            now=now(),
        )
    click.echo("Done. The page is /admin/messages.")


@click.command("sign-out")
@click.argument("email")
def sign_out_everywhere(email: str) -> None:
    """Sign the account of an e-mail address out in all browsers."""
    with database().transaction() as session:
        account = account_by_email(session, email)
        if account is None:
            raise click.ClickException("There is no account with this address.")
        ended = end_sessions(session, account.id, now=now())
        tell_change(session, account.id, SIGNED_OUT, now=now())
        append_entry(
            session,
            Visit(HOUSE, COMMAND),
            act="commands.sign_out",
            ids={"account_id": account.id},
            now=now(),
        )
    click.echo(f"Done. Sessions that were ended: {ended}")


@click.command("database-roles")
def database_roles() -> None:
    """Make the role that pages act as in Postgres, and let it use the tables."""
    engine = database().engine
    if engine.dialect.name == "sqlite":
        click.echo("SQLite has no roles: there is nothing to do.")
        return
    with database().transaction() as session:
        is_made = make_web_role(session.connection())
    if not is_made:
        raise click.ClickException(
            f"The login of DATABASE_URL may not make the role {WEB_ROLE}.\n"
            "Let the administrator of Postgres run this once, then try again:\n"
            f"  create role {WEB_ROLE} nologin;\n"
            f'  grant {WEB_ROLE} to "{engine.url.username}";'
        )
    click.echo(f"Done. Pages act as {WEB_ROLE} from their next connection on.")


def install_commands(app: Flask) -> None:
    """Give `flask` these commands."""
    app.cli.add_command(demo)
    app.cli.add_command(admin)
    app.cli.add_command(sign_in_help)
    app.cli.add_command(schedules)
    app.cli.add_command(sign_out_everywhere)
    app.cli.add_command(database_roles)
    app.cli.add_command(audit)
    app.cli.add_command(keys)
    for command in BACKUP_COMMANDS:
        app.cli.add_command(command)
