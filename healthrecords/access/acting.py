"""Who is at work in this thread, for what cannot be told by its caller: signals of models."""

from contextvars import ContextVar

from django.http import HttpRequest

from .request import AccessRequest, Actor

_asked: ContextVar[AccessRequest | None] = ContextVar("asked", default=None)
_consulted: ContextVar[bool] = ContextVar("consulted", default=False)


def now() -> AccessRequest | None:
    """The request that is being worked on; None for jobs of the system."""
    return _asked.get()


def begin(asked: AccessRequest | None) -> None:
    """From here on this thread works for `asked`; the edge begins each request with None."""
    _asked.set(asked)
    _consulted.set(False)


def consult() -> None:
    """Note that the policy has narrowed what this request shows."""
    _consulted.set(True)


def consulted() -> bool:
    """Whether it has, for the figures: what is shown without it was not asked of consent."""
    return _consulted.get()


def begin_http(http: HttpRequest, actor: Actor) -> None:
    """From here on this thread works for `actor`, who sent `http`."""
    address, request_id = getattr(http, "client_address", ""), getattr(http, "request_id", "")
    begin(AccessRequest(actor, "write", "", address=address, request_id=request_id))
