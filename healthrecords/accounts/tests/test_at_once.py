"""What two people do at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.core.exceptions import ValidationError
from django.db import connections
from django.test import Client

from healthrecords.accounts import people, tokens
from healthrecords.accounts.models import User


def at_once(*functions):
    """Run functions in threads that start together; return what each gave, or the sentence it refused with."""
    start = Barrier(len(functions))

    def run(function):
        start.wait()
        try:
            return function()
        except ValidationError as refused:
            return refused.messages[0]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))


def test_rotations_at_once_leave_two_live_tokens(db, by):
    tokens.issue("lab", "integrator", [], 30, by)
    answers = at_once(*[lambda: tokens.rotate("lab", 30, by)] * 4)
    assert len([answer for answer in answers if "two live tokens" in answer]) == 3
    assert len(tokens.live("lab")) == 2


def test_tokens_created_at_once_under_one_name_are_one(db, by):
    answers = at_once(*[lambda: tokens.issue("lab", "integrator", [], 30, by)] * 4)
    assert len([answer for answer in answers if "There is a live token" in answer]) == 3
    assert len(tokens.live("lab")) == 1


def test_administrators_who_disable_each_other_at_once_leave_one(make_person, by):
    emails = ["ada@example.org", "otto@example.org"]
    for email in emails:
        make_person(email, "administrator")
    answers = at_once(*[lambda email=email: people.disable(email, by) for email in emails])
    assert min(map(str, answers)) == "True"
    assert User.objects.filter(is_active=True).count() == 1


def test_a_link_used_twice_at_once_enrols_once(db, by):
    link = "/accounts" + people.invite("nina@example.org", "Nina", ["clinician"], by)[1].partition("/accounts")[2]

    def enrol(password):
        return Client().post(link, {"new_password1": password, "new_password2": password}).status_code

    codes = at_once(lambda: enrol("first-long-password"), lambda: enrol("second-long-password"))
    assert sorted(codes) == [302, 410]


def test_first_run_at_once_makes_one_person(db, by):
    at_once(*[lambda: people.first(True, by)] * 3)
    assert User.objects.count() == 1
