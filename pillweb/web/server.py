"""How gunicorn serves; the Procfile names this module."""

import os

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
# No access log: it would write down the tokens that stand in links.
accesslog = None
