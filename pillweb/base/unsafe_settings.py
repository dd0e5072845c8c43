"""Which settings would put people at risk, each in a plain sentence."""

import base64
import binascii
from urllib.parse import urlsplit

from pillweb.base.age import is_recipient
from pillweb.base.known_settings import Settings, is_loopback, listed

KEY_BYTES = 32
COUNTRY_LETTERS = 2
SHORTEST_SECRET = 32
PORTS = 65536
# Half a year: longer no law we know of lets a backup keep what was erased.
MOST_BACKUP_DAYS = 186
# A hundred years: longer reaches beyond the calendar.
MOST_KEPT_DAYS = 36_500
DATABASES = {"sqlite", "postgresql"}
DOORBELLS = {"redis", "rediss", "unix"}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


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
    if settings.index_key and not _is_key(settings.index_key):
        faults.append("INDEX_KEY must hold 32 random bytes in URL-safe base64.")
    return faults


def _kind_faults(settings: Settings) -> list[str]:
    faults = []
    if urlsplit(settings.database_url).scheme.partition("+")[0] not in DATABASES:
        faults.append("DATABASE_URL must begin with sqlite:/// or postgresql://")
    kinds = {
        urlsplit(url).scheme.partition("+")[0]
        for url in (settings.database_url, settings.web_database_url)
        if url
    }
    if settings.web_database_url and kinds != {"postgresql"}:
        faults.append(
            "WEB_DATABASE_URL must name the same Postgres as DATABASE_URL, both "
            "beginning with postgresql://"
        )
    if settings.redis_url and urlsplit(settings.redis_url).scheme not in DOORBELLS:
        faults.append("REDIS_URL must begin with redis://, rediss:// or unix://")
    if not 0 < settings.port < PORTS:
        faults.append(f"PORT must be a number from 1 to {PORTS - 1}.")
    if settings.proxy_hops < 0:
        faults.append("PROXY_HOPS must be 0 or more.")
    if settings.log_level not in LOG_LEVELS:
        faults.append(f"LOG_LEVEL must be {', '.join(LOG_LEVELS[:-1])} or ERROR.")
    return faults


def is_safe_url(url: str) -> bool:
    """Say whether an address is https://, or plain http:// on this machine."""
    parts = urlsplit(url)
    here = parts.scheme == "http" and is_loopback(parts.hostname or "")
    return bool(parts.hostname) and (parts.scheme == "https" or here)


def _is_key(text: str) -> bool:
    try:
        size = len(base64.urlsafe_b64decode(text + "=="))
    except (binascii.Error, ValueError):
        return False
    return size == KEY_BYTES and not _is_easy(text)


def _channel_faults(settings: Settings) -> list[str]:
    faults = []
    if settings.vapid_key and not _is_key(settings.vapid_key):
        faults.append("VAPID_KEY must hold 32 random bytes in URL-safe base64.")
    hosts = [
        urlsplit(f"//{host}").hostname or "" for host in listed(settings.push_hosts)
    ]
    if hosts and not (settings.on_this_machine and all(map(is_loopback, hosts))):
        faults.append(
            "PUSH_HOSTS may name only this machine, and only on this machine."
        )
    if settings.sms_url:
        sms = urlsplit(settings.sms_url)
        if not (is_safe_url(settings.sms_url) and sms.username and sms.password):
            faults.append("SMS_URL must look like https://SID:TOKEN@api.twilio.com")
        if not (settings.sms_from or settings.voice_from):
            faults.append(
                "SMS_FROM or VOICE_FROM is missing: the number we write from."
            )
    if not all(map(is_safe_url, settings.ntfy_servers)):
        faults.append(
            "NTFY_HOSTS must hold hosts such as ntfy.sh, or https:// addresses."
        )
    country = settings.phone_country
    if country and not (len(country) == COUNTRY_LETTERS and country.isalpha()):
        faults.append("PHONE_COUNTRY must be two letters, such as GB.")
    return faults


def _oidc_faults(settings: Settings) -> list[str]:
    if not settings.oidc_issuer:
        return []
    faults = []
    if not is_safe_url(settings.oidc_issuer):
        faults.append("OIDC_ISSUER must begin with https:// and name a host.")
    if not settings.oidc_client_id:
        faults.append("OIDC_CLIENT_ID is missing: what the provider knows us by.")
    if settings.oidc_client_secret and settings.oidc_client_secret_file:
        faults.append("Set OIDC_CLIENT_SECRET or OIDC_CLIENT_SECRET_FILE, not both.")
    try:
        settings.oidc_secret  # noqa: B018 - it is read
    except OSError:
        faults.append("OIDC_CLIENT_SECRET_FILE cannot be read.")
    return faults


def _bounce_faults(settings: Settings) -> list[str]:
    faults = []
    secret = settings.bounce_secret
    if secret and (len(secret) < SHORTEST_SECRET or _is_easy(secret)):
        faults.append(
            f"BOUNCE_SECRET must hold at least {SHORTEST_SECRET} random characters."
        )
    box = urlsplit(settings.bounce_imap_url)
    is_here = box.scheme == "imap" and is_loopback(box.hostname or "")
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
        here = parts.scheme == "http" and is_loopback(parts.hostname or "")
        if value and not (here or (parts.scheme == "https" and parts.hostname)):
            faults.append(f"{name} must begin with https:// and name a host.")
    imap = urlsplit(settings.canary_imap_url)
    if settings.canary_imap_url:
        here = imap.scheme == "imap" and is_loopback(imap.hostname or "")
        if not (here or (imap.scheme == "imaps" and imap.hostname)):
            faults.append(
                "CANARY_IMAP_URL must look like imaps://user:password@host:993/INBOX"
            )
    elif settings.canary_email and not settings.shows_mailbox:
        faults.append("CANARY_EMAIL needs CANARY_IMAP_URL: where its mail is read.")
    if settings.metrics_token and len(settings.metrics_token) < SHORTEST_SECRET:
        faults.append(f"METRICS_TOKEN must hold at least {SHORTEST_SECRET} characters.")
    return faults


def _backup_faults(settings: Settings) -> list[str]:
    faults = []
    if not 0 <= settings.backup_days <= MOST_BACKUP_DAYS:
        faults.append(f"BACKUP_DAYS must be a number from 0 to {MOST_BACKUP_DAYS}.")
    if not all(map(is_recipient, listed(settings.backup_recipient))):
        faults.append("BACKUP_RECIPIENT must hold public keys of age: age1….")
    other = urlsplit(settings.backup_database_url).scheme.partition("+")[0]
    if other and other != urlsplit(settings.database_url).scheme.partition("+")[0]:
        faults.append("BACKUP_DATABASE_URL must name the database of DATABASE_URL.")
    return faults


def _keeping_faults(settings: Settings) -> list[str]:
    return [
        f"{name.upper()} must be a number from 1 to {MOST_KEPT_DAYS}."
        for name in ("keep_messages_days", "keep_words_days", "keep_sessions_days")
        if not 1 <= getattr(settings, name) <= MOST_KEPT_DAYS
    ]


def faults_of(settings: Settings) -> list[str]:
    """Return a plain sentence for each setting that would be unsafe to run with."""
    faults = _key_faults(settings) + _kind_faults(settings) + _watch_faults(settings)
    faults += _channel_faults(settings) + _bounce_faults(settings)
    faults += _oidc_faults(settings)
    faults += _backup_faults(settings) + _keeping_faults(settings)
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
        elif "tls=off" in mail.query and not is_loopback(mail.hostname):
            faults.append(
                "SMTP_URL may say tls=off only for this machine's own server."
            )
    return faults
