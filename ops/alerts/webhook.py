"""`POST /alerts` (socket ALERTS): where Alertmanager, with its token, hands over what fires and what is over."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from healthrecords.edge import has_token

from . import hearing
from .reading import MOST, Malformed, read


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Take a body of Alertmanager's webhook: 204; 401 without the bearer token, 400 for what is no such body.

    Alertmanager sends again what was answered with 500 and above, not what was refused.
    """
    if not has_token(request, settings.ALERTS_TOKEN):
        return _plain("A bearer token is needed.", 401, {"WWW-Authenticate": "Bearer"})
    try:
        hearing.hear(read(request.read(MOST + 1)))
    except Malformed as fault:
        return _plain(str(fault), 400)
    return HttpResponse(status=204)


def _plain(text: str, status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain", headers=headers)
