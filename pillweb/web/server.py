"""How gunicorn serves; the Procfile names this module."""

import os
import signal
from typing import Any

from gunicorn.glogging import Logger

from pillweb.base.leash import die_with_parent
from pillweb.base.log import MaskingFormatter
from pillweb.base.zones import tzdata_version

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
timeout = 30
graceful_timeout = 25
keepalive = 5
max_requests = 5000
max_requests_jitter = 500
limit_request_line = 4094
preload_app = False
control_socket_disable = True


def when_ready(server: Any) -> None:  # noqa: ANN401 - gunicorn's arbiter
    """Log by which zone data pages tell the time."""
    server.log.info("Zone data: %s", tzdata_version())


def post_fork(_server: object, _worker: object) -> None:
    """End a serving process with its parent, so that the port is free at once."""
    die_with_parent(signal.SIGTERM)


class logger_class(Logger):  # noqa: N801 - gunicorn's name of the setting
    """Hides the tokens in what gunicorn says about requests that broke it."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401 - gunicorn's configuration
        """Set the log up as gunicorn does, with another formatter."""
        super().setup(cfg)  # type: ignore[no-untyped-call]
        for handler in self.error_log.handlers:
            handler.setFormatter(MaskingFormatter(self.error_fmt, self.datefmt))


# No access log: it would write down the tokens that stand in links.
accesslog = None
