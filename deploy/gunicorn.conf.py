"""How gunicorn serves the application, in production and by `make run`."""

import os
from typing import Any

bind = os.environ.get("HEALTHCARE_BIND", "0.0.0.0:8000")  # in a container; HAProxy alone reaches it
workers = int(os.environ.get("HEALTHCARE_WEB_WORKERS", "2"))
worker_class = "gthread"
threads = int(os.environ.get("HEALTHCARE_WEB_THREADS", "4"))
timeout = 60  # seconds without a sign of life before a worker is replaced
graceful_timeout = 25  # seconds for requests in flight
keepalive = 15
max_requests = 20_000  # a slow leak ends here
max_requests_jitter = 2_000
limit_request_line = 8190
worker_tmp_dir = os.environ.get("HEALTHCARE_TEMPORARY")  # None: the system's
control_socket_disable = True
accesslog = None  # addresses of the API name patients; the access rows say who saw whom
errorlog = "-"
proc_name = "healthrecords"


def on_starting(server: Any) -> None:
    """Name the product in the `Server` header, which gunicorn always sends, not the software that serves it."""
    import gunicorn.http.wsgi

    gunicorn.http.wsgi.SERVER = "HealthRecords"
