"""The cast of the account tests, and the trail as they read it."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from healthrecords.accounts.models import Role, User
from healthrecords.cli import host_request
from tests.cast import give_app

PASSWORD = "correct-horse-battery-staple"


@pytest.fixture
def by():
    """The operator at the host's command line."""
    return host_request("test")


@pytest.fixture
def make_person(db):
    """Make a person who can sign in."""

    def make(email, *roles, name="Somebody"):
        person = User.objects.invite(email, name, list(Role.objects.filter(name__in=roles)))
        person.set_password(PASSWORD)
        person.save()
        return person

    return make


@pytest.fixture
def administrator(make_person):
    return make_person("ada@example.org", "administrator", name="Ada Admin")


@pytest.fixture
def clinician(make_person):
    return make_person("cleo@example.org", "clinician", name="Cleo Clinician")


@pytest.fixture
def ada(administrator):
    give_app(administrator)
    return administrator


@pytest.fixture
def logged(db):
    """Return the rows that `access log` shows of an action, newest last."""

    def rows(action):
        out = StringIO()
        call_command("access", "log", "--json", stdout=out)
        return [row for row in json.loads(out.getvalue())["events"] if row["action"] == action]

    return rows


@pytest.fixture
def run(db):
    """Run a command; return its exit code, stdout and stderr."""

    def run(*argv):
        out, err = StringIO(), StringIO()
        try:
            call_command(*argv, stdout=out, stderr=err)
        except Exception as ended:
            return ended.returncode, out.getvalue(), err.getvalue() or str(ended)
        return 0, out.getvalue(), err.getvalue()

    return run
