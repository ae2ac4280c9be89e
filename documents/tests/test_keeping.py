"""Legal hold and retention on the screens: who may, what is asked, what is shown and recorded."""

import time

import pytest
from django.urls import reverse

from documents import holding
from documents.models import DocumentReference, HoldEntry
from documents.tests.samples import document, inline
from healthrecords.cli import host_request


def at(screen, *args):
    return reverse(f"admin:documents_documentreference_{screen}", args=args)


@pytest.fixture
def letter(integrator, objects):
    patient = integrator.create()["id"]
    made = integrator.create(document(patient, inline()))
    return DocumentReference.objects.get(logical_id=made["id"])


@pytest.fixture
def nora(signed_in):
    return signed_in("clinician")


def age(browser, minutes):
    session = browser.session
    for each in session["account_authentication_methods"]:
        each["at"] = time.time() - minutes * 60
    session.save()


def test_a_hold_is_placed_shown_and_released(nora, letter, trail):
    place, page = at("hold", letter.pk), at("page", letter.pk)
    assert "Place legal hold" in nora.get(page).content.decode()
    answer = nora.post(place, {"step": "place", "reason": "Case 12"}, follow=True)
    assert answer.redirect_chain == [(page, 302)]
    text = answer.content.decode()
    assert "The document is on legal hold." in text
    assert "Case 12" in text
    assert "Release legal hold" in text
    for address in (at("changelist"), reverse("admin:patients_patient_page", args=[letter.patient.pk])):
        assert '<span class="flag flag-calm">Legal hold</span>' in nora.get(address).content.decode()
    nora.post(place, {"step": "release", "reason": "Case closed"})
    assert "Legal hold</span>" not in nora.get(at("changelist")).content.decode()
    told = [(e.held, e.reason, e.author) for e in HoldEntry.objects.order_by("number")]
    assert told == [(True, "Case 12", "clinician"), (False, "Case closed", "clinician")]
    rows = [(e.actor, e.detail) for e in trail(action="update")]
    assert rows == [("clinician", "legal hold placed"), ("clinician", "legal hold released")]


@pytest.mark.parametrize("screen", ["hold", "retain"])
def test_a_reason_is_asked_for(nora, letter, screen):
    answer = nora.post(at(screen, letter.pk), {"step": "place", "reason": " ", "until": "2060-01-01"})
    assert answer.context["form"].errors["reason"]
    assert holding.hold_on(letter) is None


def test_a_release_asks_for_a_fresh_factor_and_a_hold_does_not(nora, letter):
    age(nora, 6)
    nora.post(at("hold", letter.pk), {"step": "place", "reason": "Case 12"})
    assert holding.hold_on(letter)
    for answer in (
        nora.get(at("hold", letter.pk)),
        nora.post(at("hold", letter.pk), {"step": "release", "reason": "x"}),
    ):
        assert answer["Location"].startswith("/accounts/confirm/")
    assert holding.hold_on(letter)


def test_a_form_does_only_what_it_said(nora, letter):
    """Somebody else placed or released the hold in the meantime."""
    answer = nora.post(at("hold", letter.pk), {"step": "release", "reason": "x"})
    assert "The document is not held." in answer.content.decode()
    holding.place_hold(letter, "Case 12", host_request("test"))
    answer = nora.post(at("hold", letter.pk), {"step": "place", "reason": "x"})
    assert "The document is held already." in answer.content.decode()
    assert holding.hold_on(letter).reason == "Case 12"


@pytest.mark.parametrize("role", ["front-desk", "immunization-nurse"])
def test_who_may_not_change_a_document_sees_the_hold_and_does_not_decide_it(signed_in, letter, role):
    holding.place_hold(letter, "Case 12", host_request("test"))
    browser = signed_in(role)
    page = browser.get(at("page", letter.pk)).content.decode()
    assert "Case 12" in page
    assert at("hold", letter.pk) not in page
    for screen in ("hold", "retain"):
        assert browser.post(at(screen, letter.pk), {"step": "release", "reason": "x"}).status_code == 403
    assert holding.hold_on(letter)


def test_a_document_is_retained_longer_and_never_shorter(nora, letter):
    address = at("retain", letter.pk)
    assert f"until {holding.kept(letter).until:%Y-%m-%d}" in nora.get(address).content.decode()
    nora.post(address, {"until": "2060-12-31", "reason": "A minor"})
    assert "2060-12-31" in nora.get(at("page", letter.pk)).content.decode()
    answer = nora.post(address, {"until": "2040-12-31", "reason": "A mistake"})
    assert "name a day after 2060-12-31" in answer.content.decode()
    assert nora.post(address, {"until": "soon", "reason": "x"}).context["form"].errors["until"]
    assert f"{holding.kept(letter).until:%Y-%m-%d}" == "2060-12-31"


def test_a_decision_that_the_trail_does_not_take_is_none(nora, letter, request):
    request.getfixturevalue("broken_trail")
    nora.raise_request_exception = False
    assert nora.post(at("hold", letter.pk), {"step": "place", "reason": "x"}).status_code == 500
    assert holding.hold_on(letter) is None
