"""Does the time of a refused sign-in tell whether a person exists? Medians over many tries of each kind, in turns.

    .venv/bin/python -m benchmarks.guessing [TRIES] [URL]

Needs a running server (`make run`); adds people to its directory and takes them away again. Counts are cleared between
the rounds, since guesses are limited. A ratio near 1 means that nothing can be told.
"""

import http.client
import os
import statistics
import sys
import time
from urllib.parse import urlencode, urlsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthrecords.settings")
django.setup()

from django.core.cache import cache  # noqa: E402

from healthrecords.accounts.models import Role, User  # noqa: E402

TOKEN = "a" * 32
KINDS = ("known", "unknown", "disabled", "not-enrolled")


def people() -> None:
    """One of each kind that exists."""
    for kind in ("known", "disabled", "not-enrolled"):
        person = User.objects.invite(f"{kind}@timing.example", kind, [Role.objects.get(name="clinician")])
        if kind != "not-enrolled":
            person.set_password("a long enough passphrase")
        person.is_active = kind != "disabled"
        person.save()


def refused(address: str, email: str) -> float:
    """Seconds from the request to the whole answer of a wrong password."""
    form = urlencode({"login": email, "password": "wrong", "csrfmiddlewaretoken": TOKEN})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrf={TOKEN}"}
    connection = http.client.HTTPConnection(address)
    connection.connect()
    begun = time.perf_counter()
    connection.request("POST", "/accounts/login/", form, headers)
    answer = connection.getresponse()
    answer.read()
    taken = time.perf_counter() - begun
    connection.close()
    assert answer.status == 200, answer.status
    return taken


def main(tries: int = 500, url: str = "http://127.0.0.1:8000") -> None:
    """Print the medians."""
    address = urlsplit(url).netloc
    people()
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    try:
        for number in range(tries):
            if number % 5 == 0:
                cache.clear()
            for kind in (*KINDS[number % 4 :], *KINDS[: number % 4]):
                taken[kind].append(refused(address, f"{kind}@timing.example"))
    finally:
        User.objects.filter(email__endswith="@timing.example").delete()
        cache.clear()
    base = statistics.median(taken["known"])
    for kind, all_of_it in taken.items():
        median = statistics.median(all_of_it)
        print(f"{kind:<13} median {median * 1000:7.2f} ms   ratio {median / base:.3f}   tries {len(all_of_it)}")


if __name__ == "__main__":
    main(*[int(each) if each.isdecimal() else each for each in sys.argv[1:]])
