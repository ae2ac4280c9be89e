"""How gunicorn serves the application, in production and by `make run`."""

import os
import tempfile
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
_metrics = tempfile.TemporaryDirectory(prefix="metrics-", dir=worker_tmp_dir)  # a file for each worker
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _metrics.name
control_socket_disable = True
accesslog = None  # addresses of the API name patients; the access rows say who saw whom
errorlog = "-"
proc_name = "healthrecords"


def on_starting(server: Any) -> None:
    """Name the product in the `Server` header, which gunicorn always sends, not the software that serves it."""
    import gunicorn.http.wsgi

    gunicorn.http.wsgi.SERVER = "HealthRecords"


def post_worker_init(worker: Any) -> None:
    """Load what requests would wait for, tell of this process, and watch the timetable.

    The web server lives where beat and the workers are dead.
    """
    from ops.caching import warming
    from ops.performance import reporting
    from ops.schedule import watching

    warming.load()
    reporting.start("web")
    watching.begin()


def child_exit(server: Any, worker: Any) -> None:
    """Keep what a worker that has ended counted, and free its gauges."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)
