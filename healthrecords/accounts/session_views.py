"""Ending one's own sessions, and keeping the one in use."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from healthrecords.accounts import sessions, signing


@require_POST
@login_required
@transaction.atomic
def end(request: HttpRequest) -> HttpResponse:
    """End the session whose number is sent, or without one all but this; each leaves its row."""
    person: Any = request.user
    others = sessions.live(person).exclude(pk=request.session.session_key)
    wanted = request.POST.get("session")
    chosen = [each for each in others if wanted is None or sessions.number(each) == wanted]
    for each in chosen:
        signing.record(request, person, "session-ended", f"{each.browser} at {each.address}")
        each.delete()
    messages.success(request, f"Sessions ended: {len(chosen)}.")
    return redirect("mfa_index")


@require_POST
@login_required
def keep(request: HttpRequest) -> JsonResponse:
    """Go on with the session in use; answers how many seconds it now lasts (healthrecords/static/accounts/idle.js)."""
    sessions.touch(request.session, every=timedelta(0))
    return JsonResponse({"left": sessions.left(request.session)})
