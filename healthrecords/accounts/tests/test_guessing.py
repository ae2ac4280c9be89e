"""Guessing is stopped: bursts, neighbours, known browsers, a cache that is down."""

import http.client
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, BoundedSemaphore
from urllib.parse import urlencode, urlsplit

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.core.handlers.base import BaseHandler
from django.db import DatabaseError
from django.test import Client, RequestFactory

from healthrecords.accounts import attempts, authentication, factor_forms, people, tokens, views
from healthrecords.accounts.models import GuessCount
from tests.cast import code

from .conftest import PASSWORD
from .test_factors import STEP

LOGIN = "/accounts/login/"
BURST = 30
UNREACHABLE = "redis://:nothing-listens-here-0123456789@127.0.0.1:1/0"


@pytest.fixture
def checked(monkeypatch):
    """Count how often something is really looked at."""
    count = []

    @contextmanager
    def watch(owner, name):
        original = getattr(owner, name)

        def counted(*arguments, **named):
            count.append(name)
            return original(*arguments, **named)

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, staticmethod(counted) if name == "find" else counted)
            yield count

    return watch


@pytest.fixture(autouse=True)
def gunicorn_s_threads(monkeypatch):
    """As in production, the server works on a few requests at a time, however many arrive: it has few connections."""
    places, get_response = BoundedSemaphore(6), BaseHandler.get_response

    def one_of_few(handler, request):
        with places:
            return get_response(handler, request)

    monkeypatch.setattr(BaseHandler, "get_response", one_of_few)


@pytest.fixture
def narrow(monkeypatch):
    """Limits by subject and by address that few guesses reach."""
    limits = tuple(attempts.Limit(*each) for each in (("pair", 10), ("subject", 9), ("address", 8)))
    monkeypatch.setitem(attempts.LIMITS, "password", limits)


@pytest.fixture
def without_cache(settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": UNREACHABLE}}


def send(server, method, path, body="", **headers):
    """Send one request; again if the test server's queue was full."""
    while True:
        connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers.get("Retry-After")
        except ConnectionResetError:
            time.sleep(0.1)
        finally:
            connection.close()


def burst(*requests):
    """Send requests from threads that start together; return how often each status came back."""
    start = Barrier(len(requests))

    def run(request):
        start.wait()
        server, method, path, headers = request
        return send(server, method, path, **headers)[0]

    with ThreadPoolExecutor(len(requests)) as pool:
        return Counter(pool.map(run, requests))


def sign_in(client, email, password=PASSWORD, **extra):
    return client.post(LOGIN, {"login": email, "password": password}, **extra)


# Thirty at once


def test_thirty_passwords_at_once_get_ten_checks_though_one_is_right(live_server, clinician, checked, logged):
    token = "a" * 32
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrf={token}"}

    def guess(password):
        form = {"login": clinician.email, "password": password, "csrfmiddlewaretoken": token}
        return live_server.url, "POST", LOGIN, urlencode(form)

    def post(request):
        return send(*request, **headers)[0]

    guesses = [guess(f"wrong {number}") for number in range(BURST - 1)]
    guesses.insert(BURST // 2, guess(PASSWORD))
    with checked(Argon2PasswordHasher, "verify") as seen, ThreadPoolExecutor(BURST) as pool:
        answers = Counter(pool.map(post, guesses))
    assert len(seen) == attempts.MOST
    assert answers[429] == BURST - attempts.MOST
    refused = [row for row in logged("sign-in") if "too many" in row["detail"]]
    assert len(refused) == 1


def test_thirty_second_factors_at_once_get_ten_checks(live_server, ada, checked):
    browser, token = Client(), "a" * 32
    sign_in(browser, ada.email)
    cookie = f"csrf={token}; session={browser.cookies['session'].value}"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    forms = [urlencode({"code": f"{number:06}", "csrfmiddlewaretoken": token}) for number in range(BURST)]
    with checked(factor_forms.codes, "check") as seen, ThreadPoolExecutor(BURST) as pool:
        answers = Counter(pool.map(lambda form: send(live_server.url, "POST", STEP, form, **headers)[0], forms))
    assert len(seen) == attempts.MOST
    assert answers == {200: attempts.MOST, 429: BURST - attempts.MOST}
    assert browser.post(STEP, {"code": code()}).status_code == 429


def test_thirty_enrolment_links_at_once_get_ten_checks(live_server, db, by, checked):
    right = "/accounts" + people.invite("nina@example.org", "Nina", ["clinician"], by)[1].partition("/accounts")[2]
    paths = [f"/accounts/enrol/wrong{number}/" for number in range(BURST)]
    with checked(views.EnrolmentLink, "find") as seen:
        answers = burst(*[(live_server.url, "GET", path, {}) for path in paths])
        late = send(live_server.url, "GET", right)
    assert len(seen) == attempts.MOST
    assert answers == {410: attempts.MOST, 429: BURST - attempts.MOST}
    assert late[0] == 429
    assert 0 < int(late[1]) <= attempts.WINDOW


def test_thirty_secrets_of_one_token_at_once_get_ten_checks_and_the_right_one_waits(live_server, db, by, checked):
    _, text = tokens.issue("lab", "integrator", [], 30, by)
    wrong = [f"{text[:17]}{number:02}{text[19:]}" for number in range(BURST)]
    with checked(authentication, "_checked") as seen:
        answers = burst(
            *[(live_server.url, "GET", "/fhir/Patient", {"Authorization": f"Bearer {each}"}) for each in wrong]
        )
        late = send(live_server.url, "GET", "/fhir/Patient", Authorization=f"Bearer {text}")
    assert len(seen) == attempts.MOST
    assert answers == {401: attempts.MOST, 429: BURST - attempts.MOST}
    assert late[0] == 429


# Who is shut out, and who is not


def test_a_token_in_use_goes_on_while_others_guess_at_it(integrator):
    assert integrator.get("Patient").status_code == 200
    guesser = type(integrator)(integrator.token[:17] + "x" * 43)
    for _ in range(attempts.MOST + 1):
        last = guesser.get("Patient")
    assert (last.status_code, last.json()["issue"][0]["code"]) == (429, "throttled")
    assert integrator.get("Patient").status_code == 200


def test_a_token_that_is_right_is_never_refused_for_being_used_often(integrator):
    for _ in range(attempts.MOST + 5):
        authentication._RIGHT.clear()
        assert integrator.get("Patient").status_code == 200


def test_a_revoked_token_is_refused_at_once_though_it_was_right_a_moment_ago(integrator, by):
    assert integrator.get("Patient").status_code == 200
    tokens.revoke("integrator token", by)
    assert integrator.get("Patient").status_code == 401


def test_guesses_at_one_account_do_not_shut_out_its_neighbours_behind_the_same_address(
    client, clinician, administrator
):
    for _ in range(attempts.MOST + 5):
        sign_in(Client(), clinician.email, "wrong")
    assert sign_in(client, administrator.email).status_code == 302


def test_guesses_from_elsewhere_do_not_shut_a_person_out_of_a_browser_that_knows_them(client, clinician, narrow):
    assert sign_in(client, clinician.email).status_code == 302
    client.post("/accounts/logout/")
    for number in range(10):
        sign_in(Client(), clinician.email, "wrong", REMOTE_ADDR=f"198.51.100.{number}")
    assert sign_in(Client(), clinician.email, REMOTE_ADDR="192.0.2.1").status_code == 429
    assert sign_in(client, clinician.email).status_code == 302


def test_a_known_browser_has_no_more_guesses_than_another_and_knows_only_its_people(client, clinician, administrator):
    assert sign_in(client, clinician.email).status_code == 302
    client.post("/accounts/logout/")
    answers = [sign_in(client, clinician.email, "wrong").status_code for _ in range(attempts.MOST + 1)]
    assert answers == [200] * attempts.MOST + [429]
    for _ in range(attempts.MOST):
        sign_in(Client(), administrator.email, "wrong")
    assert sign_in(client, administrator.email).status_code == 429


def test_a_forged_cookie_makes_no_browser_known(client, clinician, settings):
    for _ in range(attempts.MOST):
        sign_in(Client(), clinician.email, "wrong")
    client.cookies[settings.BROWSER_COOKIE_NAME] = "eyJpZCI6MX0:forged:signature"
    assert sign_in(client, clinician.email).status_code == 429


def test_one_address_that_tries_many_people_is_stopped(client, narrow, db):
    answers = [sign_in(client, f"p{number}@example.org", "wrong").status_code for number in range(9)]
    assert answers == [200] * 8 + [429]


def test_the_window_ends_by_itself(client, clinician, monkeypatch):
    for _ in range(attempts.MOST):
        sign_in(client, clinician.email, "wrong")
    refused = sign_in(client, clinician.email)
    assert refused.status_code == 429
    later = time.time() + int(refused["Retry-After"]) + 1
    monkeypatch.setattr(attempts.time, "time", lambda: later)
    assert sign_in(client, clinician.email).status_code == 302


def test_whoever_goes_on_failing_is_stopped_by_whatever_way_they_come(clinician):
    """django-axes guards Django's own authenticate(), which a page of tomorrow may call without counting."""
    request = RequestFactory().post(LOGIN, REMOTE_ADDR="192.0.2.9")
    request.client_address, request.request_id = "192.0.2.9", "r"
    for _ in range(20):
        authenticate(request, username=clinician.email, password="wrong")
    again = RequestFactory().post(LOGIN, REMOTE_ADDR="192.0.2.9")
    again.client_address, again.request_id = "192.0.2.9", "r"
    assert authenticate(again, username=clinician.email, password=PASSWORD) is None
    assert again.axes_locked_out


def test_unlocking_lets_a_person_try_again_at_once_by_password_and_code(client, clinician, by):
    for _ in range(30):
        sign_in(client, clinician.email, "wrong")
    assert sign_in(client, clinician.email).status_code == 429
    people.unlock(clinician.email, by)
    assert sign_in(client, clinician.email).status_code == 302
    subject, address = str(clinician.pk), "192.0.2.9"
    for person in (clinician, people.unlock(clinician.email, by)):
        for _ in range(attempts.MOST):
            attempts.take("second factor", person.guessed_as(subject), address)
        with pytest.raises(attempts.TooMany):
            attempts.take("second factor", person.guessed_as(subject), address)


def test_unlocking_ends_a_lock_out_of_axes_too(clinician, by):
    def attempt(password):
        request = RequestFactory().post(LOGIN, REMOTE_ADDR="192.0.2.9")
        request.client_address, request.request_id = "192.0.2.9", "r"
        request.session = {}
        return authenticate(request, username=clinician.email, password=password)

    for _ in range(20):
        attempt("wrong")
    assert attempt(PASSWORD) is None
    people.unlock(clinician.email, by)
    assert attempt(PASSWORD) == clinician


def test_unlocking_forgets_nothing_that_is_counted_for_an_address(client, clinician, narrow, by):
    for number in range(9):
        sign_in(client, f"p{number}@example.org", "wrong")
    people.unlock(clinician.email, by)
    assert sign_in(client, clinician.email).status_code == 429


# The cache is down


def test_without_the_cache_guesses_are_counted_in_the_database(client, clinician, without_cache):
    answers = [sign_in(client, clinician.email, "wrong").status_code for _ in range(attempts.MOST + 1)]
    assert answers == [200] * attempts.MOST + [429]
    assert GuessCount.objects.count() == 3
    assert not GuessCount.objects.filter(key__contains=clinician.email).exists()


def test_without_the_cache_who_knows_the_password_signs_in(client, clinician, without_cache):
    assert sign_in(client, clinician.email).status_code == 302


def test_with_nothing_that_counts_every_guess_is_refused(client, clinician, without_cache, monkeypatch):
    def fail(count):
        raise DatabaseError

    monkeypatch.setattr(attempts, "_add_in_database", fail)
    assert sign_in(client, clinician.email).status_code == 429


def test_no_key_of_the_cache_names_a_person(client, clinician):
    sign_in(client, clinician.email, "wrong")
    keys = cache.keys("*")
    assert keys
    assert not [key for key in keys if "cleo" in key or "127.0.0.1" in key]
