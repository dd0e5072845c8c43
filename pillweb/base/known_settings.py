"""What can be set: each field's help text is its documentation.

`docs/settings.md` is made of them.
"""

import base64
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]


def _setting(default: str | int | bool, text: str) -> Any:  # noqa: ANN401
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one running PillWeb."""

    database_url: str = _setting(
        f"sqlite:///{ROOT}/var/pillweb.db",
        "Where everything is kept: `sqlite:///path` for one family, "
        "`postgresql://user:password@host/name` for more.",
    )
    web_database_url: str = _setting(
        "",
        "The same Postgres by a login of the web processes alone, a member of the role "
        "`pillweb_web`. Without it they use `DATABASE_URL` and take on that role.",
    )
    redis_url: str = _setting(
        "",
        "The doorbell that wakes the workers: `redis://`, `rediss://` or `unix://`. "
        "Without it the clock process does their work itself.",
    )
    smtp_url: str = _setting(
        "",
        "The mail server: `smtp://user:password@host:587` (STARTTLS) or "
        "`smtps://user:password@host:465`. `?tls=off` is allowed on this machine "
        "only. Without it mail goes to the mailbox page, on this machine only.",
    )
    mail_from: str = _setting(
        "PillWeb <pillweb@localhost>", "The sender people see on every mail."
    )
    bounce_address: str = _setting(
        "",
        "Where mail that cannot be delivered comes back: `bounce@pills.example`, which "
        "must take mail for `bounce+anything@` too. Without it such mail goes to the "
        "sender, and nobody learns that an address is dead.",
    )
    vapid_key: str = _setting(
        "",
        "Signs web push: 32 random bytes in URL-safe base64. `make run` makes one. "
        "With another key every browser has to be asked anew. Without it there is no "
        "push.",
    )
    push_hosts: str = _setting(
        "",
        "Further push services, `host:port`, comma-separated; for tests on this "
        "machine only.",
    )
    sms_url: str = _setting(
        "",
        "The provider of SMS and calls, by Twilio's interface: "
        "`https://SID:TOKEN@api.twilio.com`. Without it there are none.",
    )
    sms_from: str = _setting(
        "", "The number that SMS come from, as `+441632960001`; or Twilio's `MG…`."
    )
    voice_from: str = _setting("", "The number that calls come from.")
    phone_country: str = _setting(
        "",
        "The two letters of the country whose numbers people may write without its "
        "code, such as `GB`.",
    )
    ntfy_hosts: str = _setting(
        "ntfy.sh",
        "The ntfy servers people may use, comma-separated; new topics are made on the "
        "first. `http://` is allowed on this machine only. Empty: no ntfy.",
    )
    ntfy_token: str = _setting(
        "", "The access token for the first of the ntfy servers."
    )
    apprise_schemes: str = _setting(
        "tgram",
        "The services of Apprise people may use, by scheme, comma-separated. Only "
        "those that lead to one known company, never to an address people choose. "
        "Empty: none.",
    )
    public_url: str = _setting(
        "http://127.0.0.1:8000",
        "The address people open; every link in a mail begins with it. "
        "`https://` is required unless it is this machine's own. Passkeys are bound to "
        "its host: with another one they are lost. A bare IP address has none.",
    )
    secret_key: str = _setting(
        "",
        "Signs cookies; at least 32 random characters. `make run` makes one.",
    )
    secret_key_fallbacks: str = _setting(
        "", "Earlier secret keys, comma-separated, still accepted after a change."
    )
    field_keys: str = _setting(
        "",
        "Keys that encrypt names, notes and addresses: 32 random bytes in URL-safe "
        "base64, comma-separated; the first locks, all unlock: add new ones in "
        "front, and see `python app.py keys` before you take one out. Keep them out "
        "of backups of the database.",
    )
    index_key: str = _setting(
        "",
        "Key that finds accounts by address, as those of `FIELD_KEYS`; it never "
        "changes. Empty: the last of `FIELD_KEYS`. Set it to that one before you "
        "take that one out.",
    )
    refuse_unbound: bool = _setting(
        False,
        "Refuse values encrypted before each patient had a key; true once "
        "`python app.py keys` counts none.",
    )
    host: str = _setting("127.0.0.1", "The address the web server listens on.")
    port: int = _setting(8000, "The port the web server listens on.")
    proxy_hops: int = _setting(
        0, "How many reverse proxies stand in front; one too many lets a visitor lie."
    )
    var_dir: str = _setting(
        f"{ROOT}/var", "Folder of the embedded default: database, mailbox, logs."
    )
    sign_up: bool = _setting(
        default=True,
        text="Whether anybody may make an account. The first is always allowed.",
    )
    emergency_number: str = _setting(
        "112",
        "The emergency number that the pages and reports name. Where somebody took too "
        "much, the page names those of the person's own country, unless this is set.",
    )
    poison_number: str = _setting(
        "",
        "The number for advice on poisons, in place of the one that is known of the "
        "person's country.",
    )
    help_phone: str = _setting(
        "",
        "The phone number of whoever helps people with this PillWeb; it stands at the "
        "foot of every page.",
    )
    bounce_secret: str = _setting(
        "",
        "What the mail server sends as X-Bounce-Secret when it hands mail that came "
        "back to /hooks/bounce; at least 32 random characters. Without it nobody may.",
    )
    bounce_imap_url: str = _setting(
        "",
        "The mailbox in which mail that came back waits to be read: "
        "`imaps://user:password@host/INBOX`. `imap://` is for this machine only.",
    )
    metrics_token: str = _setting(
        "",
        "Who asks `/metrics` with this (`Authorization: Bearer …`) gets an answer from "
        "anywhere; without it only this machine does.",
    )
    dead_man_url: str = _setting(
        "",
        "An address that somebody else watches (healthchecks protocol): asked for "
        "every 5 minutes while messages arrive, with `/fail` when they do not.",
    )
    canary_email: str = _setting(
        "",
        "A mailbox of your own: a test message goes there every 5 minutes, to see that "
        "mail arrives.",
    )
    canary_imap_url: str = _setting(
        "",
        "Where that mailbox is read: `imaps://user:password@host:993/INBOX`. Not "
        "needed while mail goes to the mailbox page.",
    )
    canary_ntfy: str = _setting(
        "", "A topic of your own (`https://ntfy.sh/…`) for the same test of ntfy."
    )
    canary_sms: str = _setting(
        "", "A phone number of your own (`+44…`) for the same test of text messages."
    )
    oidc_issuer: str = _setting(
        "",
        "The OpenID provider people may sign in with, as it names itself: "
        "`https://accounts.google.com`. Without it there is none.",
    )
    oidc_client_id: str = _setting("", "What that provider knows this PillWeb by.")
    oidc_client_secret: str = _setting("", "The secret that provider gave us.")
    oidc_client_secret_file: str = _setting(
        "", "A file with that secret, instead of the secret itself."
    )
    oidc_name: str = _setting(
        "", "What people call that provider, such as `Google`; else its host is shown."
    )
    backup_dir: str = _setting(
        "",
        "Where a backup is written every night; without it the folder `backups` in "
        "VAR_DIR. Better is a folder of another disk, or one that is copied elsewhere.",
    )
    backup_days: int = _setting(
        35,
        "No backup is kept for longer than so many days, at most 186; so long what was "
        "erased may still be in one. 0: none is made.",
    )
    backup_recipient: str = _setting(
        "",
        "For whose age keys (`age1…`, comma-separated) backups are encrypted. Without "
        "it for a key that is made here; `python app.py backup-key` prints it.",
    )
    backup_key_file: str = _setting(
        "",
        "The secret key that opens backups; without it `secrets/backup_key` in "
        "VAR_DIR. The weekly test of the newest backup needs it.",
    )
    backup_database_url: str = _setting(
        "",
        "DATABASE_URL once more, by a role that may read every row and make a scratch "
        "database, where PillWeb's own role may not. Postgres only.",
    )
    keep_messages_days: int = _setting(
        90, "For how many days it is kept what became of each message."
    )
    keep_words_days: int = _setting(
        30, "For how many days the words of a message that failed are kept."
    )
    keep_sessions_days: int = _setting(
        90, "For how many days it is kept where somebody was signed in."
    )
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR.")

    @cached_property
    def on_this_machine(self) -> bool:
        """Whether people reach it from this machine alone."""
        return is_loopback(urlsplit(self.public_url).hostname or "") and is_loopback(
            self.host
        )

    @cached_property
    def shows_mailbox(self) -> bool:
        """Whether mail is kept for the mailbox page instead of being sent."""
        return not self.smtp_url and self.on_this_machine

    @cached_property
    def own_push_hosts(self) -> tuple[str, ...]:
        """The push services of this machine, as `host:port`; for tests."""
        return listed(self.push_hosts) if self.on_this_machine else ()

    @cached_property
    def ntfy_servers(self) -> tuple[str, ...]:
        """The ntfy servers as addresses without a slash at the end."""
        return tuple(
            host.rstrip("/") if "://" in host else f"https://{host}"
            for host in listed(self.ntfy_hosts)
        )

    @cached_property
    def index_key_bytes(self) -> bytes:
        """The decoded key of blind indexes."""
        if self.index_key:
            return base64.urlsafe_b64decode(self.index_key.strip())
        return self.field_key_ring[-1]

    @cached_property
    def oidc_secret(self) -> str:
        """The secret of the OpenID provider; OSError where its file cannot be read."""
        if self.oidc_client_secret_file:
            return Path(self.oidc_client_secret_file).read_text("utf-8").strip()
        return self.oidc_client_secret

    @cached_property
    def field_key_ring(self) -> tuple[bytes, ...]:
        """The decoded field keys, the encrypting one first."""
        return tuple(
            base64.urlsafe_b64decode(key.strip())
            for key in self.field_keys.split(",")
            if key.strip()
        )


def listed(text: str) -> tuple[str, ...]:
    """Return what stands between the commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
