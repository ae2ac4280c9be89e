"""The home page: at a glance, to each role what it looks after, and each with the page that says more."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compliance.audit.models import AuditSeal
from compliance.breakglass.models import BreakGlass
from healthrecords.notify.models import Delivery, Notice, State
from ops.health import readiness
from ops.proof.models import Backups


@pytest.fixture
def glances(signed_in):
    """Answer what the home page says to a role: title → (text, state)."""

    def glances(role):
        shown = signed_in(role).get("/admin/").context["glances"]
        return {glance.title: (glance.text, glance.state) for glance in shown}

    return glances


def published(hours):
    """Backup and proof of so many hours ago."""
    then = (timezone.now() - timedelta(hours=hours)).isoformat()
    data = {"time": then, "newest": {"stopped": then}, "proof": {"time": then}, "warnings": [], "until": None}
    Backups.objects.create(time=timezone.now(), data=data)


def test_an_operator_sees_that_nothing_was_backed_up_or_sealed_yet(db, glances):
    found = glances("operator")
    assert found["Newest backup"] == found["Last proven restore"] == ("None yet", "grave")
    assert found["Seal of the trail"][1] == ("good" if AuditSeal.objects.exists() else "grave")


def test_a_fresh_backup_is_good_and_an_old_proof_is_not(db, glances):
    published(49)
    found = glances("operator")
    assert found["Newest backup"] == ("2 d ago", "grave")
    assert found["Last proven restore"] == ("2 d ago", "good")  # 50 hours are permitted


def test_a_backup_that_is_dated_ahead_is_no_good_one(db, glances):
    published(-1)
    assert glances("operator")["Newest backup"] == ("Dated in the future", "grave")


def test_the_part_that_does_not_answer_is_named(db, glances, monkeypatch):
    silent = {"database": {"ok": True}, "store": {"ok": False, "problem": "ConnectionRefusedError"}}
    monkeypatch.setattr(readiness, "report", lambda: silent)
    assert glances("operator")["Health"] == ("No answer: store", "grave")
    monkeypatch.setattr(readiness, "report", lambda: {"database": {"ok": True}})
    assert glances("auditor")["Health"] == ("Every part answers", "good")


def test_an_officer_sees_what_waits_for_a_review(db, glances):
    assert glances("compliance-officer") == {
        "Unusual access": ("Nothing to review", "good"),
        "Emergency access": ("Nothing to review", "good"),
    }
    opened = timezone.now() - timedelta(hours=73)
    BreakGlass.objects.create(actor="A", patient="p", opened_at=opened, expires_at=opened + timedelta(hours=1))
    assert glances("security-officer")["Emergency access"] == ("1 to review", "grave")


def test_who_gives_care_sees_the_screens_alone(db, glances):
    assert glances("clinician") == {}


def test_a_notice_that_reached_nobody_is_told(db, glances):
    assert glances("operator")["Notices"] == ("All delivered", "good")
    notice = Notice.objects.create(event="backup.failed", severity="critical", summary="It failed.", key=b"k")
    delivery = Delivery.objects.create(notice=notice)
    assert glances("auditor")["Notices"] == ("1 on the way", "good")
    Delivery.objects.filter(pk=delivery.pk).update(state=State.FAILED, ended_at=timezone.now())
    assert glances("security-officer")["Notices"] == ("1 given up", "grave")
