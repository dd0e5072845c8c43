"""What PillWeb knows of whoever is signed in."""

import json

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from pillweb.sharing.rules import Nav
from pillweb.transfers.queries.account import known_of_account
from pillweb.web.htmx import page
from pillweb.web.security import limiter
from pillweb.web.transaction import session
from pillweb.web.viewer import signed_in

own_data = Blueprint("own_data", __name__)
HERE = "/account/data"
FILES = "20 per hour"


@own_data.get(HERE)
def show_own_data() -> ResponseReturnValue:
    """Say what is kept of an account, and where the file is."""
    signed_in()
    return page("transfers/account.html", nav=Nav(), file_url=f"{HERE}.json")


@own_data.get(f"{HERE}.json")
@limiter.limit(FILES)
def show_own_file() -> ResponseReturnValue:
    """Give out all that is kept of an account as JSON."""
    known = known_of_account(session(), signed_in().account_id)
    return Response(
        json.dumps(known, ensure_ascii=False, indent=1),
        mimetype="application/json",
        headers={"Content-Disposition": 'attachment; filename="pillweb-account.json"'},
    )
