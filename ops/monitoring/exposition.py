"""Fills the socket METRICS: the metrics of all processes, for whoever has the token."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The exposition format of Prometheus; 401 without the bearer token, and always when none is configured."""
    token = settings.METRICS_TOKEN
    if not token or not hmac.compare_digest(
        request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()
    ):
        return HttpResponse("A bearer token is needed.\n", status=401, content_type="text/plain", headers=_CHALLENGE)
    answer: HttpResponse = ExportToDjangoView(request)
    return answer


_CHALLENGE = {"WWW-Authenticate": "Bearer"}
