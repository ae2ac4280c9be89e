"""The smoke test walks through a real server, and leaves nothing open behind it, whatever happens on the way."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connections

from documents.models import Content
from healthrecords.accounts import tokens
from healthrecords.accounts.models import EnrolmentLink, Session, User
from healthrecords.cli import host_request
from healthrecords.embedded.datadir import CHECKOUT
from ops.health import passes, smoke
from ops.health.tests.conftest import free_port
from patients.models import Patient

REQUEST = host_request("health smoke")


@pytest.fixture
def served(db, live_server, settings):
    """A running server."""
    settings.PUBLIC_URL = live_server.url


@pytest.fixture
def health_smoke(operate):
    def health_smoke(*arguments):
        done = operate("health", "smoke", "--json", *arguments)
        assert "Traceback" not in done.out + done.err
        return done.code, json.loads(done.out)

    return health_smoke


# Walks up to the document, and is gone.
CUT_OFF = """
import os, django
django.setup()
from django.conf import settings
settings.PUBLIC_URL = os.environ["SERVED"]
from healthrecords.cli import host_request
from healthrecords.embedded.datadir import CHECKOUT
from ops.health import smoke
steps = smoke.journey(host_request("health smoke"))
for _ in range(9):
    assert next(steps).state == "good"
os._exit(0)
"""


def ours():
    """The surroundings in which another process finds this test's database and server."""
    known = connections["default"].settings_dict
    login = f"{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}"
    return {"HEALTHCARE_DATABASE_URL": f"postgres://{login}/{known['NAME']}", "SERVED": settings.PUBLIC_URL}


def nothing_is_open():
    """No token, session, link, person, record or content of a smoke test opens anything."""
    live = Patient.objects.live().filter(logical_id=passes.NAME).exists()
    person = User.objects.filter(email=passes.EMAIL).first()
    opens = Session.objects.exists() or EnrolmentLink.objects.exists() or Content.objects.exists()
    return not (live or opens or tokens.live(passes.NAME) or (person and person.is_active))


def test_every_step_goes_well_and_nothing_stays_open(served, health_smoke):
    for _ in range(2):
        code, told = health_smoke()
        assert (code, told["outcome"]) == (0, "good"), told
        assert len(told["steps"]) == len(smoke.STEPS) + len(smoke.LAST)
        assert nothing_is_open()


def test_what_it_did_stands_in_the_trail(served, health_smoke, trail):
    health_smoke()
    assert [row.actor for row in trail(action="sign-in")] == [REQUEST.actor.name]
    assert {row.action for row in trail(patient=passes.NAME)} >= {"create", "read", "update", "delete", "search"}


def test_a_run_that_was_cut_off_is_cleaned_up_by_the_next(served, health_smoke):
    subprocess.run([sys.executable, "-c", CUT_OFF], env=os.environ | ours(), cwd=CHECKOUT, check=True)
    assert Patient.objects.live().filter(logical_id=passes.NAME).exists()
    assert Content.objects.exists()
    assert tokens.live(passes.NAME)
    assert User.objects.get(email=passes.EMAIL).is_active
    code, told = health_smoke()
    assert code == 0, told
    assert "Removed Immunization/health-smoke, Patient/health-smoke and 1 contents" in str(told["steps"])
    assert nothing_is_open()


def test_a_step_that_fails_ends_the_journey_and_not_the_cleaning_up(served, health_smoke, monkeypatch):
    def fail(self):
        raise smoke.Problem("It does not open.")

    monkeypatch.setattr(smoke, "STEPS", (*smoke.STEPS[:9], fail, *smoke.STEPS[10:]))
    code, told = health_smoke()
    assert code == 1
    assert [each["check"] for each in told["steps"]][-3:] == ["fail", "clean-up", "revoke"]
    assert nothing_is_open()


def test_a_server_that_is_down_is_told_at_the_first_step(db, health_smoke, settings):
    settings.PUBLIC_URL = f"http://127.0.0.1:{free_port()}"
    code, told = health_smoke()
    assert code == 1
    assert "nothing listens there" in told["summary"]
    assert nothing_is_open()


def test_without_a_database_it_cannot_run(stop, health_smoke):
    stop("PostgreSQL")
    code, told = health_smoke()
    assert (code, told["outcome"]) == (2, "error")
    assert told["summary"].startswith("The database does not answer (Nothing listens at 127.0.0.1:")


def test_two_do_not_run_at_the_same_time(served, health_smoke):
    with passes.alone():
        code, told = health_smoke()
    assert code == 2
    assert "runs already" in told["summary"]


def test_a_dry_run_asks_nothing(db, health_smoke):
    code, told = health_smoke("--dry-run")
    assert (code, len(told["steps"])) == (0, len(smoke.STEPS) + len(smoke.LAST))
    assert not User.objects.exists()
