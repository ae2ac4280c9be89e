"""The pages on which people open apps for a patient, and end what they allowed."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from healthrecords import trail
from healthrecords.access.request import actor_of_user
from healthrecords.oauth import authorizations, launches, minutes, picking


@require_safe
@login_required
@transaction.atomic
def launch(request: HttpRequest, client_id: str, patient: str) -> HttpResponse:
    """Open an app for a patient whom the person may see; what it may do is asked when it comes back."""
    person: Any = request.user
    client = get_object_or_404(launches.openable(), client_id=client_id)
    asked = minutes.asked(request, actor_of_user(person), "launch")
    picking.name_of(asked, patient)
    trail.record(asked, [minutes.about("launch", client, client.name, patient=patient)])
    return HttpResponseRedirect(launches.start(person, client, patient))


@require_POST
@login_required
def end(request: HttpRequest) -> HttpResponse:
    """End what the person allowed an app."""
    person: Any = request.user
    kept = get_object_or_404(person.authorizations.all(), pk=_key(request.POST.get("authorization", "")))
    authorizations.end(kept, "ended by the person", minutes.asked(request, actor_of_user(person), "app-ended"))
    messages.success(request, f"{kept.client.name} may no longer act for you.")
    return redirect("mfa_index")


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
