"""A live server whose own address is the public one, and clients that are registered with it by the command."""

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from healthrecords.accounts import attempts
from tests.cast import enter
from tests.smart.app import RETURN, App, Browser
from tests.smart.backend import Backend, key_set, new_key


@pytest.fixture
def fhir(live_server: Any, settings: Any) -> str:
    """The base address of the FHIR API."""
    settings.PUBLIC_URL = live_server.url
    settings.OAUTH2_PROVIDER = {**settings.OAUTH2_PROVIDER, "OIDC_ISS_ENDPOINT": live_server.url}
    return f"{live_server.url}/fhir"


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guesses fall into one window of their counts, whatever the clock says."""
    middle = time.time() // attempts.WINDOW * attempts.WINDOW + attempts.WINDOW / 2
    monkeypatch.setattr(attempts, "time", SimpleNamespace(time=lambda: middle))


@pytest.fixture
def clients(db: None, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a verb of `clients`; answers what it prints alone on stdout, or the object of `--json`."""

    def run(*arguments: str) -> Any:
        capsys.readouterr()
        call_command("clients", *arguments)
        out = capsys.readouterr().out.strip()
        return json.loads(out) if "--json" in arguments else out

    return run


@pytest.fixture
def registered(fhir: str, clients: Callable[..., Any], tmp_path: Any) -> Callable[..., Backend]:
    """Register a backend for a scope, with its key set in a file."""

    def register(name: str = "Lab interface", scope: str = "system/Patient.rs", **options: str) -> Backend:
        key = new_key(options.pop("algorithm", "ES384"))
        file = tmp_path / f"{name}.json"
        file.write_text(key_set(key))
        more = [part for option, value in options.items() for part in (f"--{option}", value)]
        client_id = clients("register", name, "--jwks", str(file), "--scope", scope, *more)
        return Backend(fhir, client_id, key)

    return register


@pytest.fixture
def backend(registered: Callable[..., Backend]) -> Backend:
    return registered()


@pytest.fixture
def app(fhir: str, clients: Callable[..., Any], tmp_path: Any) -> Callable[..., App]:
    """Register an app for a scope; a confidential one with `key`."""

    def register(scope: str, name: str = "Growth Chart", *, key: bool = False, launch: str = "") -> App:
        own = new_key() if key else None
        file = tmp_path / f"{name}.json"
        file.write_text(key_set(own) if own else "")
        more = ["--jwks", str(file)] if own else []
        more += ["--launch-url", launch] if launch else []
        return App(fhir, clients("register", name, "--scope", scope, "--redirect-uri", RETURN, *more), own)

    return register


@pytest.fixture
def person(db: None) -> Any:
    """A clinician who is a Practitioner of the directory."""
    from healthrecords.accounts.models import Role, User

    found = User.objects.invite("casey@example.org", "Casey Clinician", [Role.objects.get(name="clinician")])
    found.practitioner = "casey-1"
    found.save()
    return found


@pytest.fixture
def browser(person: Any) -> Browser:
    """The person's browser, signed in with a second factor."""
    return Browser({name: each.value for name, each in enter(Client(), person).cookies.items()})
