"""Callers whose access is narrowed by scopes, as if by an access token."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from healthrecords.accounts import authentication
from healthrecords.accounts.models import ApiToken, Role
from healthrecords.oauth.scopes import parse
from tests.cast import Caller


@pytest.fixture
def scoped(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Caller]:
    """Make a caller with a role, narrowed to scopes and perhaps launched for a patient."""
    narrowed: dict[str, tuple[str, str | None]] = {}
    actor_of = authentication.actor_of_token

    def actor(token: Any) -> Any:
        if token.name not in narrowed:
            return actor_of(token)
        scopes, patient = narrowed[token.name]
        return replace(actor_of(token), scopes=parse(scopes), launch_patient=patient)

    def make(scopes: str, patient: str | None = None, role: str = "integrator") -> Caller:
        name = f"app {len(narrowed)}"
        narrowed[name] = (scopes, patient)
        return Caller(ApiToken.issue(name, Role.objects.get(name=role), [], 90)[1])

    monkeypatch.setattr(authentication, "actor_of_token", actor)
    return make
