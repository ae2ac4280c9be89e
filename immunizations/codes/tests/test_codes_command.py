"""`manage.py codes`: an operator loads what CDC publishes."""

import gzip
import json
import os
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from immunizations.codes import age, loading, lookup
from immunizations.codes.models import CodeRelease, CodeRow, CodeTable

pytestmark = pytest.mark.usefixtures("tables")
TABLES = "cvx mvx trade-name vaccine-group ndc-use ndc-sale ndc-link vis vis-vaccine vis-address".split()
ADENO = "    <CVXCode>143       </CVXCode>"


def codes(*arguments):
    """Run a verb with --json; return the exit code and the object."""
    out, code = StringIO(), 0
    try:
        call_command("codes", *map(str, arguments), "--json", stdout=out, stderr=StringIO())
    except CommandError as ended:
        code = ended.returncode
    return code, json.loads(out.getvalue())


def row(table, key):
    return CodeRow.objects.get(table=table, key=key, until=None)


def snapshot():
    return list(CodeRow.objects.order_by("pk").values()), list(CodeRelease.objects.order_by("pk").values())


def retitled(text):
    return ("<ShortDescription>DTP</ShortDescription>", f"<ShortDescription>{text}</ShortDescription>")


def test_a_migrated_server_has_its_codes():
    assert set(loading.latest()) == set(CodeTable)
    assert CodeRow.objects.filter(table=CodeTable.CVX, until=None).count() == 288
    assert {release.as_of for release in loading.latest().values()} == {date(2025, 11, 19)}


def test_loading_what_ships_again_changes_nothing_and_asks_one_question(django_assert_num_queries):
    before = snapshot()
    with django_assert_num_queries(1):
        assert loading.load_shipped() == []
    code, told = codes("load")
    assert (code, told["summary"]) == (0, "Nothing new: the tables are as these files say, or newer.")
    assert snapshot() == before


def test_what_ships_never_replaces_newer_tables(cdc_file):
    codes("load", cdc_file("cvx.xml", retitled("Changed")), "--as-of", "2026-01-01")
    assert loading.load_shipped() == []
    assert lookup.vaccine("01").short == "Changed"


def test_an_upgrade_loads_only_the_tables_that_are_older(monkeypatch):
    CodeRelease.objects.filter(table=CodeTable.CVX).update(as_of=date(2025, 1, 1))
    [change] = loading.load_shipped()
    assert (change.listing.table, change.added, change.changed, change.retired) == (CodeTable.CVX, [], [], [])
    assert loading.latest()[CodeTable.CVX].as_of == date(2025, 11, 19)


def test_every_shipped_file_is_recognised_by_its_content_whatever_its_name(tmp_path, cdc_file):
    names = (
        "cvx.xml mvx.xml tradename.xml vac2vg.xml NDC_Unit_use.txt NDC_Unit_sale.txt NDC_Linker.txt vis.xml "
        "cvxvis.xml visurl.xml"
    ).split()
    paths = [cdc_file(name).rename(tmp_path / f"{number}.bin") for number, name in enumerate(names)]
    code, told = codes("load", *paths, "--as-of", "2026-01-01")
    assert code == 0
    assert [each["table"] for each in told["tables"]] == TABLES
    assert told["summary"] == "0 rows added, 0 changed, 0 retired in 10 tables."


def test_a_newer_file_adds_changes_and_retires_and_keeps_what_was(cdc_file):
    path = cdc_file("cvx.xml", retitled("Triple"), (ADENO, ADENO.replace("143", "999999")))
    assert lookup.vaccine("01").short == "DTP"  # a server that has read the tables already
    code, told = codes("load", path, "--as-of", "2026-01-01")
    assert (code, told["summary"]) == (0, "1 rows added, 1 changed, 1 retired in 1 table.")
    assert told["rows"] == [
        {"table": "cvx", "change": "added", "key": "999999"},
        {"table": "cvx", "change": "changed", "key": "01"},
        {"table": "cvx", "change": "retired", "key": "143"},
    ]
    assert lookup.is_known("999999")
    assert lookup.vaccine("01").short == "Triple"
    assert (lookup.vaccine("143").status, lookup.vaccine("143").short) == ("Retired", "Adenovirus types 4 and 7")
    history = list(CodeRow.objects.filter(table="cvx", key="01").order_by("pk"))
    assert [each.fields["short"] for each in history] == ["DTP", "Triple"]
    assert history[0].until == history[1].since == loading.latest()[CodeTable.CVX]


def test_a_retired_code_that_is_listed_again_is_as_the_file_says(cdc_file):
    codes("load", cdc_file("cvx.xml", (ADENO, ADENO.replace("143", "999999"))), "--as-of", "2026-01-01")
    _, told = codes("load", cdc_file("cvx.xml"), "--as-of", "2026-01-02")
    assert told["summary"] == "0 rows added, 1 changed, 1 retired in 1 table."
    assert lookup.vaccine("143").status == "Active"
    assert not row("cvx", "143").retired


def test_a_dry_run_tells_the_same_and_changes_nothing(cdc_file):
    path, before = cdc_file("cvx.xml", retitled("Triple")), snapshot()
    code, told = codes("load", path, "--as-of", "2026-01-01", "--dry-run")
    assert (code, told["dry_run"]) == (0, True)
    assert told["rows"] == [{"table": "cvx", "change": "changed", "key": "01"}]
    assert snapshot() == before
    assert lookup.vaccine("01").short == "DTP"


def test_where_one_file_is_damaged_none_is_loaded(cdc_file, tmp_path):
    good, bad, before = cdc_file("cvx.xml", retitled("Triple")), tmp_path / "mvx.xml", snapshot()
    bad.write_text("<MVXCodes><MVXInfo>")
    code, told = codes("load", good, bad, "--as-of", "2026-01-01")
    assert code == 2
    assert told["summary"].startswith("mvx.xml is damaged XML (")
    assert snapshot() == before


def test_where_one_file_is_doubtful_none_is_loaded(cdc_file, tmp_path):
    good, before = cdc_file("cvx.xml", retitled("Triple")), snapshot()
    cut = tmp_path / "use.txt"
    cut.write_text("".join(cdc_file("NDC_Unit_use.txt").read_text().splitlines(keepends=True)[:300]))
    code, told = codes("load", good, cut, "--as-of", "2026-01-01")
    assert code == 2
    assert told["summary"].startswith("use.txt would retire ")
    assert snapshot() == before
    assert codes("load", good, cut, "--as-of", "2026-01-01", "--force")[0] == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "x is no code table of CDC that is known here."),
        ("a|b|c", "x is no code table of CDC that is known here."),
        ("<html/>", "x is no code table of CDC that is known here (its root element is html)."),
        ("<CVXCodes/>", "x holds no rows."),
        ("1|2|3|PMC\n1|2", "x is damaged: line 2 has 2 columns instead of 4."),
        ("1||3|PMC", "x is damaged: row 1 has no sale."),
        (
            (
                "<CVXCodes><CVXInfo><CVXCode>1</CVXCode><ShortDescription>a</ShortDescription>"
                "<Status>Active</Status><LastUpdated>soon</LastUpdated></CVXInfo></CVXCodes>"
            ),
            "x is damaged: row 1: 'soon' is no date.",
        ),
        (
            '<!DOCTYPE x [<!ENTITY a "aaaa">]><CVXCodes>&a;</CVXCodes>',
            "x declares a document type, which no file of CDC's does.",
        ),
    ],
)
def test_a_file_that_is_none_of_cdc_s_is_refused_in_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "x"
    path.write_text(content)
    assert codes("load", path) == (2, {"ok": False, "outcome": "error", "summary": sentence})


def test_an_older_file_is_refused_unless_forced(cdc_file):
    path = cdc_file("cvx.xml", retitled("Older"))
    code, told = codes("load", path, "--as-of", "2025-01-01")
    assert code == 2
    assert told["summary"] == "fetched-cvx.xml is of 2025-01-01, older than what is loaded (2025-11-19); see --force."
    assert codes("load", path, "--as-of", "2025-01-01", "--force")[0] == 0
    assert lookup.vaccine("01").short == "Older"


def test_a_file_that_was_fetched_lately_but_lacks_the_newest_change_is_refused(cdc_file):
    path = cdc_file("cvx.xml", ("11/19/2025", "11/18/2025"))
    code, told = codes("load", path, "--as-of", "2026-01-01")
    assert code == 2
    assert told["summary"] == (
        "The newest change in fetched-cvx.xml is of 2025-11-18, but one of 2025-11-19 is loaded; "
        "fetch the file again, or see --force."
    )


def test_the_day_of_a_file_is_when_it_was_fetched(cdc_file):
    path = cdc_file("mvx.xml")
    os.utime(path, (1_780_000_000, 1_780_000_000))
    codes("load", path)
    assert loading.latest()[CodeTable.MVX].as_of == date(2026, 5, 28)


def test_two_files_of_one_table_and_bad_days_and_missing_files_are_refused(cdc_file, tmp_path):
    path = cdc_file("mvx.xml")
    zipped = tmp_path / "mvx.xml.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    sentence = "fetched-mvx.xml and mvx.xml.gz are the same table; load one of them."
    assert codes("load", path, zipped)[1]["summary"] == sentence
    assert codes("load", path, "--as-of", "soon")[1]["summary"] == "soon is no day; write it as YYYY-MM-DD."
    code, told = codes("load", tmp_path / "none.xml")
    assert code == 2
    assert told["summary"].endswith("none.xml cannot be read (No such file or directory).")


def test_a_load_leaves_an_operations_record(cdc_file, trail):
    codes("load", cdc_file("cvx.xml", retitled("Triple")), "--as-of", "2026-01-01")
    [fact] = trail(action="command")
    assert "0 rows added, 1 changed, 0 retired in 1 table." in fact.detail


def test_status_shows_each_table_and_is_good_while_none_is_old(monkeypatch):
    monkeypatch.setattr("immunizations.management.commands.codes.timezone.localdate", lambda: date(2026, 3, 1))
    code, told = codes("status")
    assert (code, told["summary"]) == (0, "All 10 tables are there, none older than 400 days.")
    assert told["tables"][0] == {
        "table": "cvx",
        "title": "Vaccines (CVX)",
        "source": "cvx.xml.gz",
        "as_of": "2025-11-19",
        "rows": 288,
        "retired": 0,
        "age_days": 102,
        "state": "good",
    }


def test_status_is_a_problem_when_a_table_is_older_than_400_days_or_missing(monkeypatch):
    CodeRow.objects.filter(table=CodeTable.MVX).delete()
    CodeRelease.objects.filter(table=CodeTable.MVX).delete()
    monkeypatch.setattr("immunizations.management.commands.codes.timezone.localdate", lambda: date(2026, 12, 25))
    code, told = codes("status")
    assert code == 1
    states = {each["table"]: each["state"] for each in told["tables"]}
    assert states["mvx"] == "missing"
    assert states["cvx"] == "old"


def test_tables_of_exactly_400_days_are_not_old():
    assert {each.state for each in age.ages(date(2026, 12, 24))} == {"good"}
    assert {each.state for each in age.ages(date(2026, 12, 25))} == {"old"}


def test_search_finds_products_and_vaccines():
    code, told = codes("search", "boostrix")
    assert (code, told["products"][0]["cvx"], told["vaccines"]) == (0, ["115"], [])
    assert codes("search", "115")[1]["vaccines"] == [
        {"cvx": "115", "short": "Tdap", "status": "Active", "groups": ["TDAP"]}
    ]
    assert codes("search", "49281-425-88")[1]["products"][0]["ndc"] == "49281-0425-88"
    assert codes("search", "nothing-like-that")[0] == 1


def test_scan_says_what_a_reader_typed(monkeypatch):
    monkeypatch.setattr("immunizations.management.commands.codes.timezone.localdate", lambda: date(2026, 3, 1))
    code, told = codes("scan", "(01)00349281425882(17)260630(10)U1")
    assert (code, told["scan"]["cvx"], told["scan"]["lot"], told["product"]["mvx"]) == (0, "140", "U1", "PMC")
    assert codes("scan", "(01)00349281425880")[0] == 1


def test_a_readable_run_shows_what_changed(cdc_file):
    out = StringIO()
    call_command("codes", "load", str(cdc_file("cvx.xml", retitled("Triple"))), "--as-of", "2026-01-01", stdout=out)
    assert "0 rows added, 1 changed, 0 retired in 1 table." in out.getvalue()
