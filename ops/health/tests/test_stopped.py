"""Each command with each server stopped: the verdict, the exit code, what is named, no traceback, in time."""

import json
from time import monotonic

import pytest

LIMIT = 60.0  # seconds that no command exceeds, whatever is down, on a busy machine
# command → what it names as a problem, by what is stopped; where nothing is named it is good
TABLE = {
    "database": {"PostgreSQL": ["database"]},
    "cache": {"cache": ["cache", "queue"]},
    "external": {"PostgreSQL": ["database"], "store": ["store"]},
    "monitoring": {"Prometheus": ["prometheus"]},
}
SERVERS = ("PostgreSQL", "cache", "store", "Prometheus")


@pytest.fixture
def health(operate):
    """Run a verb with --json; return the exit code, what it told, and how long it took."""

    def health(*arguments):
        begun = monotonic()
        done = operate("health", *arguments, "--json")
        assert monotonic() - begun < LIMIT
        assert "Traceback" not in done.out + done.err
        return done.code, json.loads(done.out)

    return health


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("command", TABLE)
def test_a_command_names_the_server_that_is_stopped_and_no_other(command, server, stop, health, settings):
    settings.METRICS_TOKEN = ""  # no web server runs here
    stop(server)
    expected = TABLE[command].get(server, [])
    code, told = health(command)
    assert [each["check"] for each in told["checks"] if each["state"] == "problem"] == expected
    assert (code, told["outcome"]) == ((1, "problem") if expected else (0, "good"))
    assert all(each["next_step"] for each in told["checks"] if each["state"] == "problem")


@pytest.mark.parametrize(("server", "named"), [("PostgreSQL", "database"), ("cache", "cache"), ("store", "store")])
def test_all_parts_are_asked_while_one_is_down(server, named, stop, health):
    stop(server)
    code, told = health("all")
    states = {each["check"]: each["state"] for each in told["checks"]}
    others = {"database": "good", "cache": "good", "store": "good"} | {named: "problem"}
    assert {name: states[name] for name in others} == others
    assert code == 1


def test_what_needs_the_database_is_not_asked_without_it(stop, health):
    stop("PostgreSQL")
    _, told = health("database")
    states = {each["check"]: each["state"] for each in told["checks"]}
    assert states.pop("database") == "problem"
    assert set(states.values()) == {"not asked"}


def test_integrity_without_a_database_is_told_and_not_recorded(stop, health):
    stop("PostgreSQL")
    code, told = health("integrity")
    assert code == 1
    assert {each["state"] for each in told["checks"] if each["check"] != "database"} == {"not asked"}


def test_integrity_without_the_store_says_so_of_documents_alone(stop, health):
    stop("store")
    code, told = health("integrity")
    assert code == 1
    named = {each["check"]: each["next_step"] for each in told["checks"] if each["state"] == "problem"}
    assert "documents" in named
    assert "breach" not in named.get("audit-trail", "")


def test_the_way_to_a_stopped_database_ends_at_its_port(stop, health):
    stop("PostgreSQL")
    code, told = health("connection")
    assert code == 1
    assert [(each["check"], each["state"]) for each in told["steps"]] == [("name", "good"), ("port", "problem")]
    assert "Nothing listens" in told["summary"]


def test_waiting_for_a_stopped_database_ends_in_time(stop, health):
    stop("PostgreSQL")
    code, told = health("wait", "--timeout", "0.3")
    assert (code, told["outcome"]) == (1, "problem")


def test_what_is_not_configured_is_said_and_no_problem(health, settings):
    settings.METRICS_TOKEN = ""
    code, told = health("monitoring")
    assert code == 0
    assert {each["state"] for each in told["checks"]} == {"not configured"}
    assert "HEALTHCARE_PROMETHEUS_URL is not set" in str(told["checks"])
