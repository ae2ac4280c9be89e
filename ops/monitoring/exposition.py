"""Fills the socket METRICS: the metrics of all processes, for whoever has the token."""

import logging
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache
from time import monotonic

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import CollectorRegistry, Metric, disable_created_metrics, generate_latest
from prometheus_client.registry import Collector

from healthrecords.edge import has_token

log = logging.getLogger(__name__)

PATIENCE = 3.0  # seconds after which no further collector is asked: each of them may wait for a store that is away
_begun: ContextVar[float] = ContextVar("begun")

disable_created_metrics()  # the time at which each counter began, which several processes together do not have


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The exposition format of Prometheus; 401 without the bearer token, and always when none is configured."""
    if not has_token(request, settings.METRICS_TOKEN):
        return HttpResponse("A bearer token is needed.\n", status=401, content_type="text/plain", headers=_CHALLENGE)
    _begun.set(monotonic())
    answer: HttpResponse = ExportToDjangoView(request)
    answer.write(generate_latest(_collectors()))
    return answer


@cache
def _collectors() -> CollectorRegistry:
    """What upper apps measure at each scrape (setting METRICS_COLLECTORS), once for all processes."""
    registry = CollectorRegistry(auto_describe=False)
    for path in settings.METRICS_COLLECTORS:
        registry.register(_Guarded(import_string(path)()))
    return registry


class _Guarded(Collector):
    """Keeps a collector from taking the others' figures along when the store that it asks is away."""

    def __init__(self, collector: Collector) -> None:
        self.collector, self.name = collector, type(collector).__name__

    def collect(self) -> Iterator[Metric]:
        if monotonic() - _begun.get(monotonic()) > PATIENCE:
            log.error("%s was not asked: the collectors before it took too long.", self.name)
            return
        try:
            yield from self.collector.collect()
        except (DatabaseError, CommandError) as fault:
            log.error("%s could not tell its figures: %s", self.name, type(fault).__name__)
        except Exception:
            log.exception("%s could not tell its figures.", self.name)


_CHALLENGE = {"WWW-Authenticate": "Bearer"}
