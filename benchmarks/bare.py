"""The yardstick: a Django view with one SELECT and one INSERT in a transaction, and nothing else.

Served by the same gunicorn settings, on the same database and with the same connection pool as the server.
"""

import uuid
from functools import cache
from typing import Any

from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

TABLES = """
CREATE TABLE IF NOT EXISTS bench_record (id text PRIMARY KEY, body text NOT NULL);
CREATE TABLE IF NOT EXISTS bench_row
    (id uuid PRIMARY KEY, record text NOT NULL, time timestamptz NOT NULL DEFAULT now())
"""


def read(request: HttpRequest, logical_id: str) -> HttpResponse:
    """Answer with one row, and note in another that it was read, by the ORM as a Django view does."""
    record, row = _models()
    with transaction.atomic():
        found = record.objects.get(pk=logical_id)
        row.objects.create(id=uuid.uuid4(), record=logical_id)
    return HttpResponse(found.body, content_type="application/json")


@cache
def _models() -> tuple[Any, Any]:
    """The two tables as models; made late, since settings are configured late."""
    options = {"app_label": "bench", "managed": False}

    class Record(models.Model):
        id = models.TextField(primary_key=True)
        body = models.TextField()
        Meta = type("Meta", (), {**options, "db_table": "bench_record"})

    class Row(models.Model):
        id = models.UUIDField(primary_key=True)
        record = models.TextField()
        time = models.DateTimeField(auto_now_add=True)
        Meta = type("Meta", (), {**options, "db_table": "bench_row"})

    return Record, Row


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
