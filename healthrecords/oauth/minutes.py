"""The rows that clients, their tokens and their denials leave in the trail."""

from typing import Any

from allauth.core import context
from django.http import HttpRequest

from healthrecords import trail
from healthrecords.access.request import NOBODY, AccessRequest, Actor, actor_of_user, route_of
from healthrecords.oauth.models import Client


def actor_of_client(client: Client) -> Actor:
    """The actor that a client is while it asks for tokens: nothing is open to it yet."""
    return Actor("client", client.client_id, client.name)


def asked(http: HttpRequest, actor: Actor, interaction: str) -> AccessRequest:
    """Describe a request to the endpoints of the OAuth 2 server."""
    return AccessRequest(
        actor,
        interaction,
        "Client",
        purpose=actor.purposes[0] if actor.purposes else "",
        address=str(getattr(http, "client_address", "")),
        request_id=str(getattr(http, "request_id", "")),
        route=route_of(http),
    )


def about(
    action: str, client: Client | None, detail: str = "", outcome: str = "success", patient: str | None = None
) -> trail.Fact:
    """A fact about a client, or about nobody's; `patient` is the one in context."""
    resources = (f"Client/{client.client_id}",) if client else ()
    return trail.Fact(action, outcome, patient=patient, resources=resources, detail=detail)


def record_issue(request: Any) -> None:
    """A token was made for a client, or for the person who allowed an app; in the transaction that keeps it."""
    client: Client = request.client
    actor = actor_of_user(request.user) if request.user else actor_of_client(client)
    fact = about("token", client, f"{client.name}: {request.grant_type} for {' '.join(request.scopes)}")
    trail.record(asked(context.request, actor, "token"), [fact])


def record_refusal(http: HttpRequest, interaction: str, reason: str, actor: Actor = NOBODY) -> None:
    """A request for a token, or for a person's permission, that was refused; by itself, to outlive the request."""
    trail.record_apart(asked(http, actor, interaction), [about(interaction, None, reason, "failure")])
