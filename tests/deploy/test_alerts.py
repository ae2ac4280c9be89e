"""The alerts: the runbook's own under their names, each tried both ways, each with what to do, routed to people."""

import re
import subprocess

import pytest
import yaml
from django.core.management import get_commands, load_command_class

# Groups of commands that alerts and their pages name.
GROUPS = {
    *("access", "audit", "backup", "cache", "clients", "health", "keys", "maintain", "notify"),
    *("performance", "restore", "schedule", "services", "tokens", "users"),
}
RUNBOOK = {
    "HighErrorRate": ("critical", "2m"),
    "DatabaseDown": ("critical", "1m"),
    "PHIBreachDetected": ("critical", "1m"),
    "HighMemoryUsage": ("warning", "10m"),
    "SlowAPIResponse": ("warning", "5m"),
}
OF_EXPORTERS = ("up", "pg_", "redis_", "haproxy_", "node_", "alertmanager_", "prometheus_")


def rules(root):
    """Every alert with the name of its file."""
    for path in sorted((root / "deploy/prometheus/rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from ((path.stem, rule) for rule in group["rules"] if "alert" in rule)


def trials(root):
    """Every trial of `promtool test rules`: the alert, and whether it must fire."""
    for path in sorted((root / "deploy/prometheus/tests").glob("*.yml")):
        for trial in yaml.safe_load(path.read_text())["tests"]:
            for asked in trial["promql_expr_test"]:
                (name,) = re.findall(r'alertname="(\w+)"', asked["expr"])
                yield name, bool(asked["exp_samples"])


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_runbook_s_alerts_have_its_names_severities_and_times(root):
    found = {rule["alert"]: (rule["labels"]["severity"], rule["for"]) for _, rule in rules(root) if "for" in rule}
    assert found | RUNBOOK == found


def test_an_alert_is_named_once(root):
    names = [rule["alert"] for _, rule in rules(root)]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.needs("promtool")
def test_the_rules_fire_and_do_not_fire_as_they_should(root):
    done = run("promtool", "test", "rules", *sorted((root / "deploy/prometheus/tests").glob("*.yml")))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tried_both_ways(root):
    both = {(rule["alert"], fires) for _, rule in rules(root) for fires in (True, False)}
    assert both - set(trials(root)) == {("Watchdog", False)}  # it always fires


def test_every_alert_says_how_soon_and_what_to_do(root):
    for _, rule in rules(root):
        words = rule["annotations"]
        severity = rule["labels"]["severity"]
        assert severity in ("critical", "warning") or (rule["alert"], severity) == ("Watchdog", "none")
        assert words["summary"], rule["alert"]
        if severity == "critical":
            assert words["response"] == "immediately", rule["alert"]
        elif severity == "warning":
            assert words["response"] in ("within 1 hour", "within 1 day"), rule["alert"]


def test_every_alert_leads_to_its_section_which_names_the_same_command(root):
    section = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    for _, rule in rules(root):
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        sections = {title.lower(): text for title, text in section.findall((root / page).read_text())}
        assert anchor == rule["alert"].lower()
        assert f"First: `manage.py {rule['annotations']['command']}`" in sections[anchor], rule["alert"]


def test_every_section_belongs_to_an_alert(root):
    pages = (root / "docs/runbooks/alerts").glob("[a-z]*.md")
    sections = {title for page in pages for title in re.findall(r"^## (\w+)$", page.read_text(), re.MULTILINE)}
    assert sections == {rule["alert"] for _, rule in rules(root)}


def test_rules_ask_for_figures_that_somebody_measures(root):
    known = set(re.findall(r"^\| `(\w+)` \|", (root / "docs/metrics.md").read_text(), re.MULTILINE))
    histograms = {f"{name}_{part}" for name in known for part in ("bucket", "count", "sum")}
    for name, rule in rules(root):
        for metric in metrics_of(rule["expr"]):
            assert metric in known | histograms or metric.startswith(OF_EXPORTERS), f"{name}: {metric}"


def metrics_of(expression):
    """The names in an expression that are metrics: neither functions, labels, texts nor recorded ratios."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\b(by|on) *\([^)]*\)|\[\w+\]|\w+:\w+:\w+|\b\d\w*', " ", expression)
    return set(re.findall(r"[a-z]\w*\b(?! *\()", bare)) - {"or", "and", "on"}


# --- Alertmanager -------------------------------------------------------------------------------------------------


@pytest.mark.needs("amtool")
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=DatabaseDown", "severity=critical"], "critical"),
        (["alertname=HighMemoryUsage", "severity=warning"], "warning"),
        (["alertname=Watchdog", "severity=none"], "watchdog"),
        (["alertname=Anything"], "warning"),
    ],
)
def test_alerts_go_by_severity(root, labels, receiver):
    asked = ("amtool", "config", "routes", "test", "--config.file", root / "deploy/alertmanager/alertmanager.yml")
    done = run(*asked, *labels)
    assert done.stdout.strip() == receiver, done.stderr


def test_every_receiver_tells_the_application_with_a_token_from_a_file(root, compose):
    known = yaml.safe_load((root / "deploy/alertmanager/alertmanager.yml").read_text())
    for receiver in known["receivers"]:
        (hook,) = receiver["webhook_configs"]
        assert hook["url"] == "http://app:8000/alerts"
        assert hook["http_config"]["authorization"]["credentials_file"] == "/run/secrets/alerts_token"
    assert "alerts_token" in compose["services"]["alertmanager"]["secrets"]
    assert "monitoring" in compose["services"]["app"]["networks"]


def test_what_is_kept_quiet_is_named_as_rules_name_it(root):
    known = yaml.safe_load((root / "deploy/alertmanager/alertmanager.yml").read_text())
    names = {rule["alert"] for _, rule in rules(root)}
    for rule in known["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            label, sign, value = re.fullmatch(r'(\w+) (=~?) "(.*)"', matcher).groups()
            if label == "alertname":
                alternatives = [value] if "(" in value else value.split("|")
                assert all(any(re.fullmatch(each, name) for name in names) for each in alternatives), matcher
                assert sign == "=~" or value in names


@pytest.fixture
def start(root, tmp_path):
    """Run the start script with a stand-in that has amtool check the file; return the end and the file."""
    stand_in = tmp_path / "alertmanager"
    stand_in.write_text('#!/bin/sh\nexec amtool check-config "${1#--config.file=}"\n')
    stand_in.chmod(0o755)

    def start(**said):
        surroundings = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path), **said}
        script = ["sh", root / "deploy/alertmanager/start.sh"]
        done = subprocess.run(script, env=surroundings, capture_output=True, text=True, check=False)
        made = tmp_path / "alertmanager.yml"
        return done, yaml.safe_load(made.read_text()) if made.exists() else None

    return start


@pytest.mark.needs("amtool")
def test_mail_goes_out_where_an_address_is_set(start):
    done, made = start(
        HEALTHCARE_ALERT_MAIL_TO="oncall@clinic.example",
        HEALTHCARE_MAIL_FROM="records@clinic.example",
        HEALTHCARE_ALERT_SMARTHOST="mail.clinic.example:587",
        HEALTHCARE_ALERT_MAIL_USER="alerts",
    )
    assert done.returncode == 0, done.stderr
    (mail,) = made["receivers"][0]["email_configs"]
    assert (mail["to"], mail["smarthost"]) == ("oncall@clinic.example", "mail.clinic.example:587")
    assert mail["auth_password_file"] == "/run/secrets/alert_mail_password"


@pytest.mark.needs("amtool")
def test_without_an_address_no_mail_goes_out(start):
    done, made = start()
    assert done.returncode == 0, done.stderr
    assert made["receivers"][0]["email_configs"] == []


@pytest.mark.parametrize("address", ['a@b.example"}, {to: "c@d.example', "a|b", "$(id)"])
def test_an_address_that_would_change_the_file_stops_the_start(start, address):
    done, made = start(HEALTHCARE_ALERT_MAIL_TO=address)
    assert done.returncode == 2
    assert "HEALTHCARE_ALERT_MAIL_TO" in done.stderr
    assert made is None


def commands(root):
    """The first command of every alert, and each that a page names, once."""
    pages = " ".join(page.read_text() for page in (root / "docs/runbooks/alerts").glob("[a-z]*.md"))
    groups = "|".join(sorted(GROUPS))
    named = re.findall(rf"`(?:manage\.py )?((?:{groups}) [a-z][^`]*)`", pages)
    return sorted({rule["annotations"]["command"] for _, rule in rules(root)} | set(named))


def test_every_command_of_an_alert_and_of_its_page_exists_with_its_options(root, capsys):
    refused = {command: exit_of(command) for command in commands(root)}
    assert {command: code for command, code in refused.items() if code != 0} == {}


def exit_of(command):
    """How a command ends that is asked for help after all its own words: 0 where each of them is known."""
    group, *words = [word for word in command.split() if not word.isupper()]
    if group not in get_commands():
        return "no such group"
    argv = ["manage.py", group, *words, "--help"]
    try:
        load_command_class(get_commands()[group], group).run_from_argv(argv)
    except SystemExit as ended:
        return ended.code or 0
    return 0
