"""Fills the socket METRICS: the metrics of all processes, for whoever has the token."""

from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest

from healthrecords.edge import has_token

disable_created_metrics()  # the time at which each counter began, which several processes together do not have


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The exposition format of Prometheus; 401 without the bearer token, and always when none is configured."""
    if not has_token(request, settings.METRICS_TOKEN):
        return HttpResponse("A bearer token is needed.\n", status=401, content_type="text/plain", headers=_CHALLENGE)
    answer: HttpResponse = ExportToDjangoView(request)
    answer.write(generate_latest(_collectors()))
    return answer


@cache
def _collectors() -> CollectorRegistry:
    """What upper apps measure at each scrape (setting METRICS_COLLECTORS), once for all processes."""
    registry = CollectorRegistry(auto_describe=False)
    for path in settings.METRICS_COLLECTORS:
        registry.register(import_string(path)())
    return registry


_CHALLENGE = {"WWW-Authenticate": "Bearer"}
