"""The mailbox of the embedded default, shown on this machine only."""

from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from pillweb.base.config import settings
from pillweb.base.errors import NotFoundError
from pillweb.channels.mailbox import kept_mail, kept_mails
from pillweb.web.htmx import page

mailbox = Blueprint("mailbox", __name__)


@mailbox.before_request
def _only_here() -> None:
    if not settings().shows_mailbox:
        raise NotFoundError


def _shown(key: str, mail: EmailMessage) -> dict[str, object]:
    body = mail.get_body(("plain",))
    return {
        "url": f"/mailbox/{key}",
        "subject": str(mail["Subject"]),
        "to": str(mail["To"]),
        "at_words": f"{parsedate_to_datetime(mail['Date']):%d %B %Y, %H:%M} UTC",
        "text": body.get_content() if body else "",
        "attachments": [
            {"name": part.get_filename(), "url": f"/mailbox/{key}/{number}"}
            for number, part in enumerate(mail.iter_attachments())
        ],
    }


def _mail(key: str) -> EmailMessage:
    mail = kept_mail(key)
    if mail is None:
        raise NotFoundError
    return mail


@mailbox.get("/mailbox")
def show_mailbox() -> ResponseReturnValue:
    """List the mails that would have been sent."""
    messages = [_shown(key, mail) for key, mail in kept_mails()]
    return page("mailbox/list.html", messages=messages)


@mailbox.get("/mailbox/<key>")
def show_mail(key: str) -> ResponseReturnValue:
    """Show one mail."""
    return page(
        "mailbox/show.html", message=_shown(key, _mail(key)), list_url="/mailbox"
    )


@mailbox.get("/mailbox/<key>/<int:number>")
def show_attachment(key: str, number: int) -> ResponseReturnValue:
    """Give out a file that goes with a mail."""
    files = list(_mail(key).iter_attachments())
    if number >= len(files):
        raise NotFoundError
    return Response(
        files[number].get_content(), mimetype=files[number].get_content_type()
    )
