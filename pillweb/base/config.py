"""Every setting of PillWeb, read once from the environment.

Each field's help text is its documentation: `docs/settings.md` is made of them.
"""

import base64
import binascii
import sys
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env, EnvError

from pillweb.base.errors import UnsafeSettingsError

ROOT = Path(__file__).parents[2]
KEY_BYTES = 32
COUNTRY_LETTERS = 2
SHORTEST_SECRET = 32
PORTS = 65536
DATABASES = {"sqlite", "postgresql"}
DOORBELLS = {"redis", "rediss", "unix"}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


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
        "`https://` is required unless it is this machine's own.",
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
        "base64, comma-separated; the first encrypts, all decrypt, and the "
        "last finds accounts by address: add new ones in front and keep the last. "
        "Keep them out of backups of the database.",
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
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR.")

    @cached_property
    def on_this_machine(self) -> bool:
        """Whether people reach it from this machine alone."""
        return _is_loopback(urlsplit(self.public_url).hostname or "") and _is_loopback(
            self.host
        )

    @cached_property
    def shows_mailbox(self) -> bool:
        """Whether mail is kept for the mailbox page instead of being sent."""
        return not self.smtp_url and self.on_this_machine

    @cached_property
    def own_push_hosts(self) -> tuple[str, ...]:
        """The push services of this machine, as `host:port`; for tests."""
        return _listed(self.push_hosts) if self.on_this_machine else ()

    @cached_property
    def ntfy_servers(self) -> tuple[str, ...]:
        """The ntfy servers as addresses without a slash at the end."""
        return tuple(
            host.rstrip("/") if "://" in host else f"https://{host}"
            for host in _listed(self.ntfy_hosts)
        )

    @cached_property
    def field_key_ring(self) -> tuple[bytes, ...]:
        """The decoded field keys, the encrypting one first."""
        return tuple(
            base64.urlsafe_b64decode(key.strip())
            for key in self.field_keys.split(",")
            if key.strip()
        )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_easy(secret: str | bytes) -> bool:
    return len(set(secret)) < SHORTEST_SECRET // 4


def _key_faults(settings: Settings) -> list[str]:
    faults = []
    secrets = [("SECRET_KEY", settings.secret_key)]
    # An earlier key still signs: a weak one lets anybody write cookies.
    earlier = settings.secret_key_fallbacks.split(",")
    secrets += [("SECRET_KEY_FALLBACKS", key) for key in earlier if key]
    for name, secret in secrets:
        if len(secret) < SHORTEST_SECRET:
            faults.append(
                f"{name} must hold at least {SHORTEST_SECRET} random characters; "
                "`make run` makes one, or set your own."
            )
        elif _is_easy(secret):
            faults.append(f"{name} is too easy to guess: make it random.")
    try:
        ring = settings.field_key_ring
    except (binascii.Error, ValueError):
        ring = ()
    if {len(key) for key in ring} != {KEY_BYTES}:
        faults.append(
            "FIELD_KEYS must hold at least one key of 32 random bytes in URL-safe "
            "base64; `make run` makes one, or set your own."
        )
    elif any(_is_easy(key) for key in ring):
        faults.append("FIELD_KEYS is too easy to guess: make it random.")
    return faults


def _kind_faults(settings: Settings) -> list[str]:
    faults = []
    if urlsplit(settings.database_url).scheme.partition("+")[0] not in DATABASES:
        faults.append("DATABASE_URL must begin with sqlite:/// or postgresql://")
    if settings.redis_url and urlsplit(settings.redis_url).scheme not in DOORBELLS:
        faults.append("REDIS_URL must begin with redis://, rediss:// or unix://")
    if not 0 < settings.port < PORTS:
        faults.append(f"PORT must be a number from 1 to {PORTS - 1}.")
    if settings.proxy_hops < 0:
        faults.append("PROXY_HOPS must be 0 or more.")
    if settings.log_level not in LOG_LEVELS:
        faults.append(f"LOG_LEVEL must be {', '.join(LOG_LEVELS[:-1])} or ERROR.")
    return faults


def _is_safe_url(url: str) -> bool:
    """Say whether an address is https://, or plain http:// on this machine."""
    parts = urlsplit(url)
    here = parts.scheme == "http" and _is_loopback(parts.hostname or "")
    return bool(parts.hostname) and (parts.scheme == "https" or here)


def _is_push_key(text: str) -> bool:
    try:
        size = len(base64.urlsafe_b64decode(text + "=="))
    except (binascii.Error, ValueError):
        return False
    return size == KEY_BYTES and not _is_easy(text)


def _channel_faults(settings: Settings) -> list[str]:
    faults = []
    if settings.vapid_key and not _is_push_key(settings.vapid_key):
        faults.append("VAPID_KEY must hold 32 random bytes in URL-safe base64.")
    hosts = [
        urlsplit(f"//{host}").hostname or "" for host in _listed(settings.push_hosts)
    ]
    if hosts and not (settings.on_this_machine and all(map(_is_loopback, hosts))):
        faults.append(
            "PUSH_HOSTS may name only this machine, and only on this machine."
        )
    if settings.sms_url:
        sms = urlsplit(settings.sms_url)
        if not (_is_safe_url(settings.sms_url) and sms.username and sms.password):
            faults.append("SMS_URL must look like https://SID:TOKEN@api.twilio.com")
        if not (settings.sms_from or settings.voice_from):
            faults.append(
                "SMS_FROM or VOICE_FROM is missing: the number we write from."
            )
    if not all(map(_is_safe_url, settings.ntfy_servers)):
        faults.append(
            "NTFY_HOSTS must hold hosts such as ntfy.sh, or https:// addresses."
        )
    country = settings.phone_country
    if country and not (len(country) == COUNTRY_LETTERS and country.isalpha()):
        faults.append("PHONE_COUNTRY must be two letters, such as GB.")
    return faults


def _bounce_faults(settings: Settings) -> list[str]:
    faults = []
    secret = settings.bounce_secret
    if secret and (len(secret) < SHORTEST_SECRET or _is_easy(secret)):
        faults.append(
            f"BOUNCE_SECRET must hold at least {SHORTEST_SECRET} random characters."
        )
    box = urlsplit(settings.bounce_imap_url)
    is_here = box.scheme == "imap" and _is_loopback(box.hostname or "")
    if settings.bounce_imap_url and not (box.scheme == "imaps" or is_here):
        faults.append("BOUNCE_IMAP_URL must look like imaps://user:password@host")
    if settings.bounce_address and settings.bounce_address.count("@") != 1:
        faults.append("BOUNCE_ADDRESS must look like bounce@pills.example")
    return faults


def _watch_faults(settings: Settings) -> list[str]:
    faults = []
    for name, value in (
        ("DEAD_MAN_URL", settings.dead_man_url),
        ("CANARY_NTFY", settings.canary_ntfy),
    ):
        parts = urlsplit(value)
        here = parts.scheme == "http" and _is_loopback(parts.hostname or "")
        if value and not (here or (parts.scheme == "https" and parts.hostname)):
            faults.append(f"{name} must begin with https:// and name a host.")
    imap = urlsplit(settings.canary_imap_url)
    if settings.canary_imap_url:
        here = imap.scheme == "imap" and _is_loopback(imap.hostname or "")
        if not (here or (imap.scheme == "imaps" and imap.hostname)):
            faults.append(
                "CANARY_IMAP_URL must look like imaps://user:password@host:993/INBOX"
            )
    elif settings.canary_email and not settings.shows_mailbox:
        faults.append("CANARY_EMAIL needs CANARY_IMAP_URL: where its mail is read.")
    if settings.metrics_token and len(settings.metrics_token) < SHORTEST_SECRET:
        faults.append(f"METRICS_TOKEN must hold at least {SHORTEST_SECRET} characters.")
    return faults


def faults_of(settings: Settings) -> list[str]:
    """Return a plain sentence for each setting that would be unsafe to run with."""
    faults = _key_faults(settings) + _kind_faults(settings) + _watch_faults(settings)
    faults += _channel_faults(settings) + _bounce_faults(settings)
    public = urlsplit(settings.public_url)
    if public.scheme not in {"http", "https"} or not public.hostname:
        faults.append("PUBLIC_URL must be a full address such as https://pills.example")
    elif public.path not in {"", "/"}:
        faults.append("PUBLIC_URL must not hold a path: PillWeb needs its own host.")
    elif not settings.on_this_machine:
        if public.scheme != "https":
            faults.append(
                "PUBLIC_URL must begin with https:// when other machines can reach "
                "PillWeb (HOST or PUBLIC_URL is not this machine's own)."
            )
        if not settings.smtp_url:
            faults.append(
                "SMTP_URL is missing: without a mail server no reminder could leave."
            )
    if settings.smtp_url:
        mail = urlsplit(settings.smtp_url)
        if mail.scheme not in {"smtp", "smtps"} or not mail.hostname:
            faults.append("SMTP_URL must look like smtp://user:password@host:587")
        elif "tls=off" in mail.query and not _is_loopback(mail.hostname):
            faults.append(
                "SMTP_URL may say tls=off only for this machine's own server."
            )
    return faults


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
        "Made from `pillweb/base/config.py` by `make docs`; do not edit.\n\n"
        "| name | default | what it does |\n|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    settings()
