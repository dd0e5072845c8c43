"""How gunicorn serves; the Procfile names this module."""

import os
import signal

from pillweb.base.leash import die_with_parent

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


def post_fork(_server: object, _worker: object) -> None:
    """End a serving process with its parent, so that the port is free at once."""
    die_with_parent(signal.SIGTERM)


# No access log: it would write down the tokens that stand in links.
accesslog = None
