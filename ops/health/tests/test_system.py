"""The comprehensive run and its report."""

import json
import stat

import pytest

from ops.health import registry, smoke, system
from ops.health.registry import Problem


@pytest.fixture
def health_system(db, operate, tmp_path, live_server, settings):
    """Run it against a served application; return exit code, what it told, and the two files."""
    settings.PUBLIC_URL, settings.METRICS_ADDRESS = live_server.url, f"{live_server.url}/metrics"

    def health_system(stem=tmp_path / "reports" / "health"):
        done = operate("health", "system", "--report", str(stem), "--json")
        assert "Traceback" not in done.out + done.err
        return done.code, json.loads(done.out), stem.with_suffix(".json"), stem.with_suffix(".html")

    return health_system


def test_it_asks_everything_and_writes_a_report_for_people_and_machines(health_system):
    _, told, as_json, as_html = health_system()
    report = json.loads(as_json.read_text())
    assert list(report["sections"]) == ["The way to the database", "All parts", "Integrity", "Journey"]
    asked = {each["check"] for answers in report["sections"].values() for each in answers}
    assert asked >= set(registry.checks()) | {"authentication", "clean-up"}
    assert [each["state"] for each in report["sections"]["Journey"]] == ["good"] * (len(smoke.STEPS) + len(smoke.LAST))
    page = as_html.read_text()
    assert all(f'<th scope="row">{name}</th>' in page for name in asked)
    assert report["summary"] in page
    assert told["report"] == [str(as_html), str(as_json)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (as_html, as_json)} == {0o600}


def test_a_problem_is_the_verdict_and_stands_on_top_of_the_report(health_system, monkeypatch):
    def broken():
        raise Problem("The <disk> is full.", "Make room.")

    disk = registry.checks()["disk"]
    monkeypatch.setitem(registry.checks(), "disk", registry.Check("disk", "host", broken, disk.limit, ""))
    code, told, as_json, as_html = health_system()
    assert (code, told["outcome"], json.loads(as_json.read_text())["outcome"]) == (1, "problem", "problem")
    assert "disk: The &lt;disk&gt; is full. Make room." in as_html.read_text()


def test_without_a_database_everything_else_is_still_asked(health_system, stop):
    stop("PostgreSQL")
    code, _, as_json, _ = health_system()
    sections = json.loads(as_json.read_text())["sections"]
    states = {each["check"]: each["state"] for each in sections["All parts"]}
    assert code == 1
    assert (states["database"], states["cache"], states["store"], states["web"]) == ("problem", "good", "good", "good")
    assert [each["state"] for each in sections["Journey"]] == ["problem"]


def test_a_report_that_cannot_be_written_is_said_in_a_sentence(health_system, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(system.CommandError, match="cannot be written"):
        system.write(system.Report(system.timezone.now(), ()), tmp_path / "file" / "health")
