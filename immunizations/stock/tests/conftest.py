"""A clinic with a shelf: a delivery of Engerix-B, and doses of it as an integrator sends them."""

import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from healthrecords.cli import host_request
from immunizations.stock import actions, listing
from immunizations.tests.samples import SID, coded, given


def today() -> date:
    return timezone.localdate()


def dose(patient="p1", lot="AB-12 x", cvx="08", **changes):
    """A dose that was given here today."""
    body = given(patient, lotNumber=lot, vaccineCode=coded(f"{SID}/cvx", cvx), occurrenceDateTime=f"{today()}")
    for name in ("manufacturer", "expirationDate", "fundingSource", "location"):
        body.pop(name)
    sent = {**body, **changes}
    return {name: value for name, value in sent.items() if value is not None}


@pytest.fixture
def by(db):
    return host_request("stock test")


@pytest.fixture
def receive(by):
    """Enter a delivery of ten Hep B doses, unless said otherwise, and return the lot."""

    def enter(lot="AB12X", quantity=10, **changes):
        known = {"cvx": "08", "expires": today() + timedelta(days=400), **changes}
        return actions.receive(actions.Delivery(lot, quantity, **known), by).lot

    return enter


def on_hand(lot):
    return listing.line_of(lot).on_hand


def ledger(lot):
    """The kinds and quantities of a lot's movements, oldest first."""
    return [(move.kind, move.quantity) for move in reversed(listing.movements_of(lot))]


class Told:
    """What a command told: exit code, the JSON object on stdout, and stderr."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.said = json.loads(out) if out else {}

    def __getitem__(self, name):
        return self.said[name]


@pytest.fixture
def run(db):
    """Run a command with --json."""

    def call(group, verb, *arguments):
        out, err = StringIO(), StringIO()
        try:
            call_command(group, verb, *map(str, arguments), "--json", stdout=out, stderr=err)
        except Exception as ended:
            return Told(getattr(ended, "returncode", None), out.getvalue(), err.getvalue() or str(ended))
        return Told(0, out.getvalue(), err.getvalue())

    return call
