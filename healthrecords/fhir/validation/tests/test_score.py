"""`manage.py fhir score`: the confusion table of labelled cases."""

import gzip
import json

import pytest
from django.core.management import CommandError, call_command

from healthrecords.fhir.validation import score

GOOD = {"resourceType": "Patient", "active": True}
BAD = {"resourceType": "Patient", "active": "yes"}


def row(expect, body, **more):
    return json.dumps({"id": "c", "type": "Patient", "expect": expect, "resource": body, **more})


def totals(source, **options):
    total = score.score(score.cases_in(source, **options)).total
    return total.valid, total.passed, total.invalid, total.refused, total.located


def test_cases_of_a_file_are_counted_by_how_they_were_judged(tmp_path):
    source = tmp_path / "cases.jsonl.gz"
    rows = [
        row("valid", GOOD),
        row("valid", BAD),
        row("invalid", BAD, path="Patient.active"),
        row("invalid", GOOD, path="x"),
    ]
    source.write_bytes(gzip.compress("\n".join(rows).encode()))
    assert totals(source) == (2, 1, 2, 1, 1)


def test_a_file_of_resources_holds_valid_ones(tmp_path):
    source = tmp_path / "export.ndjson"
    source.write_text(json.dumps(GOOD) + "\n\n" + json.dumps(BAD) + "\n")
    assert totals(source) == (2, 1, 0, 0, 0)


def test_a_folder_of_examples_is_valid_but_for_those_named(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    (tmp_path / "b.json").write_text(json.dumps(BAD))
    (tmp_path / "c.json").write_text("{")
    assert totals(tmp_path) == (3, 1, 0, 0, 0)
    assert totals(tmp_path, known_invalid=frozenset({"b", "c"})) == (1, 1, 2, 2, 0)


def test_an_index_says_what_its_files_are(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    (tmp_path / "b.json").write_text("{,}")
    rows = [{"name": "a", "file": "a.json", "label": "ok"}, {"name": "b", "file": "b.json", "label": "core"}]
    (tmp_path / "index.json").write_text(json.dumps([*rows, {"name": "t", "file": "a.json", "label": "tx"}]))
    assert totals(tmp_path) == (1, 1, 1, 1, 0)


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(score.BadSource):
        list(score.cases_in(tmp_path / "cases.txt"))


def test_the_table_goes_between_the_marks_of_a_document(tmp_path):
    document = tmp_path / "validation.md"
    document.write_text(f"# V\n{score._START}\nold\n{score._END}\nrest\n")
    table = score.as_markdown(score.score([score.Case("a", "Patient", json.dumps(GOOD), True)]))
    score.write_into(document, table)
    text = document.read_text()
    assert "| Patient | 1 | 1 (100.0 %) | 0 | – | – |" in text
    assert "old" not in text
    assert text.endswith("rest\n")
    document.write_text("no marks")
    with pytest.raises(score.BadSource):
        score.write_into(document, table)


def test_the_command_prints_the_table_and_ends_with_1_where_a_case_was_judged_wrongly(tmp_path, capsys):
    source = tmp_path / "cases.jsonl"
    source.write_text(row("valid", GOOD))
    call_command("fhir", "score", str(source))
    assert "1 of 1 valid case passed" in capsys.readouterr().out
    source.write_text(row("invalid", GOOD, path="Patient.active"))
    with pytest.raises(CommandError) as ended:
        call_command("fhir", "score", str(source))
    assert ended.value.returncode == 1
