"""The yardstick: a Django view with one SELECT and one INSERT in a transaction, and nothing else.

Served by the same gunicorn settings, on the same database and with the same connection pool as the server.
"""

import json
import uuid
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

TABLES = """
CREATE TABLE IF NOT EXISTS bench_record (id text PRIMARY KEY, body text NOT NULL);
CREATE TABLE IF NOT EXISTS bench_row
    (id uuid PRIMARY KEY, record text NOT NULL, time timestamptz NOT NULL DEFAULT now())
"""


def read(request: HttpRequest, logical_id: str) -> HttpResponse:
    """Answer with one row, and note in another that it was read."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT body FROM bench_record WHERE id = %s", [logical_id])
        found = cursor.fetchone()
        cursor.execute("INSERT INTO bench_row (id, record) VALUES (%s, %s)", [uuid.uuid4(), logical_id])
    return HttpResponse(found[0] if found else json.dumps({}), content_type="application/json")


urlpatterns = [path("bare/<logical_id>", read)]


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """The WSGI application: Django with this module's one address and no middleware."""
    return _application()(environ, start_response)


def _application() -> Any:
    global _made  # noqa: PLW0603
    if _made is None:
        from django.conf import settings
        from django.core.wsgi import get_wsgi_application

        from healthrecords.settings.database import DATABASES

        settings.configure(
            DATABASES={"default": DATABASES["default"]},
            ROOT_URLCONF=__name__,
            ALLOWED_HOSTS=["127.0.0.1"],
            SECRET_KEY=uuid.uuid4().hex * 2,
            USE_TZ=True,
        )
        _made = get_wsgi_application()
    return _made


_made: Any = None
