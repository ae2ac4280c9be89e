"""Real conditions on a running server reach a receiver, by a real Prometheus and a real Alertmanager.

`python -m benchmarks.alerting` does the same for more of them, with the servers' own failures.
"""

import pytest
import requests
from django.db import connections

from healthrecords.accounts.models import ApiToken, Role
from ops.monitoring.tests.watching import Inbox, watched
from tests.cast import Caller

pytestmark = [pytest.mark.needs("prometheus"), pytest.mark.needs("prometheus-alertmanager")]
SECRET = "a-token-of-the-trial-with-32-characters"


@pytest.fixture
def inbox_of_alerts():
    """What a receiver beside the application is told."""
    with Inbox().open() as inbox:
        yield inbox


@pytest.fixture
def prometheus(live_server, inbox_of_alerts, settings, tmp_path):
    target = live_server.url.removeprefix("http://")
    with watched(tmp_path, {"app": target}, settings.METRICS_TOKEN, [inbox_of_alerts.address], SECRET) as address:
        yield address


@pytest.fixture
def token(live_server):
    return ApiToken.issue("trial", Role.objects.get(name="integrator"), [], 90)[1]


@pytest.fixture
def damaged(db):
    """The address of a patient whose sealed version somebody changed in the database."""
    patient = Caller(ApiToken.issue("writer", Role.objects.get(name="integrator"), [], 90)[1]).create()
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE healthrecords_recordversion DISABLE TRIGGER refuse_change")
        cursor.execute(
            "UPDATE healthrecords_recordversion SET content = set_byte(content, 40, get_byte(content, 40) # 1)"
        )
        cursor.execute("ALTER TABLE healthrecords_recordversion ENABLE ALWAYS TRIGGER refuse_change")
    return f"/fhir/Patient/{patient['id']}"


def test_denials_a_changed_row_and_errors_reach_a_receiver(damaged, prometheus, live_server, inbox_of_alerts, token):
    bearer = {"Authorization": f"Bearer {token}"}
    for _ in range(12):
        refused = requests.get(f"{live_server.url}{damaged}", headers={"Authorization": "Bearer nobody"}, timeout=30)
        failed = requests.get(f"{live_server.url}{damaged}", headers=bearer, timeout=30)
        assert (refused.status_code, failed.status_code) == (401, 500)
    breach, sealed, errors = map(
        inbox_of_alerts.wait_for, ("PHIBreachDetected", "SealedValueDoesNotOpen", "HighErrorRate")
    )
    assert {each.labels["severity"] for each in (breach, sealed, errors)} == {"critical"}
    assert breach.labels["compliance"] == "HIPAA"
    assert "requests for records were denied" in breach.annotations["summary"]
    assert errors.annotations["command"] == "health all"
    assert inbox_of_alerts.tokens == {f"Bearer {SECRET}"}
    inbox_of_alerts.wait_for("Watchdog")
    assert not any(message.alert == "ManySignInFailures" for message in inbox_of_alerts.messages)
