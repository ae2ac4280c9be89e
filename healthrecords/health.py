"""Whether the server lives, and whether it is ready. No personal data, no sign-in (probes have none)."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

Report = dict[str, dict[str, object]]


@cache
def _readiness() -> Callable[[], Report]:
    return import_string(settings.READINESS)


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """200 while this process answers; asks nothing of any store."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """200 when each part that requests need answers, else 503; each part is named with its state."""
    parts = _readiness()()
    status = status_of(parts)
    return JsonResponse({"status": status, "parts": parts}, status=503 if status == "unavailable" else 200)


def status_of(parts: Report) -> str:
    """`ok`; `degraded` when only parts fail that are `optional`; else `unavailable`."""
    failed = [part for part in parts.values() if not part["ok"]]
    if all(part.get("optional") for part in failed):
        return "degraded" if failed else "ok"
    return "unavailable"
