"""The trail as a file: whole, safe to open in a spreadsheet, made once, and itself an event."""

import csv
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from compliance.audit.schema import LEAF
from healthrecords.accounts.models import ApiToken


def export(file, *options):
    out = StringIO()
    call_command("audit", "export", str(file), *options, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_ndjson_holds_every_event_with_the_columns_that_are_sealed(integrator, trail, tmp_path):
    integrator.create()
    integrator.get("Patient?name=jansen")
    before = trail()
    told = export(tmp_path / "trail.ndjson")
    rows = [json.loads(line) for line in (tmp_path / "trail.ndjson").read_text().splitlines()]
    assert told["events"] == len(before)
    assert [row["uuid"] for row in rows] == [str(row.uuid) for row in before]
    assert tuple(rows[0]) == LEAF
    assert (tmp_path / "trail.ndjson").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["trail.ndjson"]


def test_csv_holds_no_formula(integrator, trail, tmp_path):
    ApiToken.objects.update(name="=HYPERLINK(1)")
    integrator.create()
    export(tmp_path / "trail.csv", "--format", "csv")
    with (tmp_path / "trail.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    [created] = [row for row in rows if row["action"] == "create"]
    assert created["actor"] == "'=HYPERLINK(1)"
    assert created["resources"].startswith("Patient/")


def test_the_export_is_itself_an_event(integrator, trail, tmp_path):
    integrator.create()
    export(tmp_path / "trail.ndjson", "--until", "2020-01-01")
    [row] = trail(action="export")
    assert "0 events as ndjson" in row.detail
    assert "until 2020-01-01" in row.detail
    assert (tmp_path / "trail.ndjson").read_text() == ""


@pytest.mark.parametrize("place", ["there.csv", "nowhere/trail.csv"])
def test_a_file_that_is_there_or_cannot_be_made_is_refused_without_an_event(integrator, trail, tmp_path, place):
    (tmp_path / "there.csv").write_text("mine")
    with pytest.raises((CommandError, SystemExit)):
        export(tmp_path / place)
    assert (tmp_path / "there.csv").read_text() == "mine"
    assert trail(action="export") == []
