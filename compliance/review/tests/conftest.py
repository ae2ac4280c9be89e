"""What the tests of the review share: people who look, patients to look at, and a day to run the rules over."""

import pytest
from django.utils import timezone

from compliance.review import running
from healthrecords.access.request import AccessRequest, Actor
from healthrecords.accounts.models import Role, User
from tests.cast import PATIENT, enter

OFFICER = Actor("user", "officer", "Olive Officer", ("compliance-officer",), ({"Review": "crus"},), ("HCOMPL",))
BY = AccessRequest(OFFICER, "update", "Review", "HCOMPL")


@pytest.fixture
def employee(db):
    """A clinician at the admin; answers the person and their browser."""
    from django.test import Client

    def make(name="Sam Snoop", email="sam@example.org"):
        person = User.objects.invite(email, name, [Role.objects.get(name="clinician")])
        return person, enter(Client(), person)

    return make


@pytest.fixture
def opened(integrator):
    """Create a patient by the API and let a browser open the chart; answers the patient's id."""

    def look(client, **changes):
        from patients.models import Patient

        patient = integrator.create(PATIENT, **changes)["id"]
        key = Patient.objects.get(logical_id=patient).pk
        assert client.get(f"/admin/patients/patient/{key}/").status_code == 200
        return patient

    return look


@pytest.fixture
def found():
    """Run the rules over today; answers the findings as (rule, patient), without those of `but`."""
    from compliance.review.models import Finding

    def run(*but):
        running.run(timezone.localdate(), BY)
        return sorted(Finding.objects.exclude(rule__in=but).values_list("rule", "patient"))

    return run
