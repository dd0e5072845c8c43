"""Real servers for the tests: PostgreSQL, Valkey and SMTP, started for them alone.

Nothing has to be installed or running: the binaries come with the development
packages. Each server is private to the process that starts it (with xdist: to the
worker) and ends with it, also when that process is killed.
"""

from tests.services.place import ROOT
from tests.services.postgres import postgres_programs, postgres_server
from tests.services.smtp import Answer, Mail, SmtpSink, smtp_sink
from tests.services.valkey import Valkey, valkey_server

__all__ = [
    "ROOT",
    "Answer",
    "Mail",
    "SmtpSink",
    "Valkey",
    "postgres_programs",
    "postgres_server",
    "smtp_sink",
    "valkey_server",
]
