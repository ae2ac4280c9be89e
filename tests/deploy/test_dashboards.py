"""Grafana's dashboards: written from their rows, with data in each panel from a Prometheus that asks what runs."""

import importlib.util
import json
import re
from datetime import timedelta

import pytest
import yaml
from django.core.cache import cache
from django.utils import timezone

from compliance.audit import tasks as audit
from healthrecords.accounts import tasks as accounts
from healthrecords.embedded.datadir import CHECKOUT
from healthrecords.schedule import JOBS
from ops import runs
from ops.maintenance.tasks import REPORT
from ops.monitoring import encryption
from ops.performance.reporting import Reporter
from ops.proof.models import Backups
from ops.schedule.models import Pulse, Standing
from ops.schedule.status import process_names
from tests.deploy.test_haproxy import Door
from tests.deploy.watching import PROGRAMS, load, until, watched

GRAFANA = CHECKOUT / "deploy/grafana"
UIDS = {
    "healthcare-overview", "api-performance", "database-metrics", "security-metrics", "security-overview",
    "compliance-metrics",
}  # fmt: skip
OF_EXPORTERS = re.compile(r"(pg|redis|node|haproxy|scrape)_\w+|up")


def needs_all(test):
    """Mark a test that needs all of the programs."""
    for name in PROGRAMS:
        test = pytest.mark.needs(name)(test)
    return test


@pytest.fixture(scope="session")
def generator():
    """deploy/grafana/generate.py, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("generate", GRAFANA / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def panels(generator):
    """Each query: (dashboard, panel, legend) → expression."""
    return {
        (uid, panel["title"], legend): expression
        for uid, row in generator.rows().items()
        for panel in row["panels"]
        for legend, expression in panel["queries"].items()
    }


def test_the_files_are_what_the_rows_say_and_there_are_no_others(generator):
    written = {path.stem: path.read_text() for path in (GRAFANA / "dashboards").glob("*.json")}
    assert written == {uid: generator.written(uid, row) for uid, row in generator.rows().items()}
    assert set(written) == UIDS
    assert {json.loads(text)["uid"] for text in written.values()} == UIDS


def test_no_two_panels_share_a_place_or_a_number(generator):
    for uid, row in generator.rows().items():
        panels = json.loads(generator.written(uid, row))["panels"]
        taken = [
            (x, y)
            for place in (panel["gridPos"] for panel in panels)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        assert len(taken) == len(set(taken)), uid
        assert max(x for x, _ in taken) < 24
        assert len({panel["id"] for panel in panels}) == len(panels)


def test_each_metric_is_one_that_the_documentation_names(panels):
    documented = set(re.findall(r"^\| `(\w+)`", (CHECKOUT / "docs/metrics.md").read_text(), re.MULTILINE))
    for where, expression in panels.items():
        bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|on|group_left|without) \([^)]*\)", " ", expression)
        for name in re.findall(r"[a-z]\w*_\w+", bare):
            metric = re.sub(r"_(bucket|count|sum)$", "", name) if name not in documented else name
            known = metric in documented or OF_EXPORTERS.fullmatch(name) or name in ("histogram_quantile", "group_left")
            assert known, (where, name)


def test_the_documentation_lists_every_panel(panels):
    told = (CHECKOUT / "docs/dashboards.md").read_text()
    for (uid, title, _), expression in panels.items():
        assert f"## {uid}" in told
        assert f"| {title} |" in told, (uid, title)
        assert f"`{' '.join(expression.split())}`".replace("|", "\\|") in told, (uid, title)


def test_grafana_is_given_the_dashboards_and_may_not_change_them(root, compose):
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/healthrecords.yml").read_text())["providers"]
    inside = provider["options"]["path"]
    assert f"./deploy/grafana/dashboards:{inside}:ro" in compose["services"]["grafana"]["volumes"]
    assert (provider["disableDeletion"], provider["allowUiUpdates"]) == (True, False)


@pytest.fixture
def past(settings, tmp_path, integrator):
    """What happened before: a sealed and verified trail, a backup that was proven, a background task, a job."""
    (tmp_path / "gunicorn.log").touch()
    settings.AUDIT_REQUEST_LOGS = [str(tmp_path / "gunicorn.log")]
    integrator.create()
    for job in (audit.seal, audit.verify, audit.reconcile, accounts.clear_ended_sessions):
        job.apply(throw=True)
    encryption.measure()
    runs.keep(runs.TIMETABLE, REPORT, "good", "", 1.0, wasted=8192)
    for name in process_names():
        Pulse.objects.create(name=name, time=timezone.now(), steady=timezone.now())
    Standing.of(JOBS[0]).end("good", "", 1.5)
    then = (timezone.now() - timedelta(minutes=20)).isoformat()
    backup = {"stopped": then, "size": 5_000_000, "seconds": 4.2}
    proof = {"time": then, "seconds": 9.5, "age": 40}
    known = {"newest": backup, "proof": proof, "bytes": 9_000_000, "kept_log_bytes": 0, "warnings": []}
    Backups.objects.create(time=timezone.now(), data={**known, "time": then, "until": then})


@pytest.fixture
def door(root, tmp_path, secrets_dir, live_server, settings):
    """HAProxy before the application, with our configuration; the certificate that it shows is the server's."""
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "app"]
    running = Door(root, tmp_path, secrets_dir, int(live_server.url.rpartition(":")[2]))
    settings.PUBLIC_URL, settings.FRONT = "https://ehr.example.org", f"127.0.0.1:{running.secure}"
    yield running
    running.process.kill()
    running.process.wait()


@pytest.fixture
def watch(past, live_server, integrator, door, tmp_path):
    """A Prometheus that asks what runs, and a function that gives it work."""
    with watched(tmp_path, live_server.url.removeprefix("http://"), f"127.0.0.1:{door.monitoring}") as prometheus:
        yield prometheus, lambda: load(live_server.url, f"https://127.0.0.1:{door.secure}", integrator.token)
    cache.clear()


@needs_all
def test_every_panel_has_data_while_the_application_works(panels, watch):
    prometheus, work = watch
    missing = dict(panels)

    def all_seen():
        work()
        Reporter("web").turn()
        for where, expression in list(missing.items()):
            if prometheus.ask(expression):
                del missing[where]
        return not missing

    until(all_seen, lambda: json.dumps([[*where, expression] for where, expression in missing.items()], indent=1))
