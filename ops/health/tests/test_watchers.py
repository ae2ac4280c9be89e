"""A real Prometheus, asked; a mail server, greeted; each of them gone."""

import pytest

from ops.health import registry
from ops.health.tests.conftest import free_port, watching


def asked(name):
    (told,) = [each for each in registry.run([registry.checks()[name]]) if each.check == name]
    return told


@pytest.mark.needs("prometheus")
def test_a_prometheus_whose_targets_are_up_is_good(prometheus, settings):
    settings.PROMETHEUS_URL = prometheus
    told = asked("prometheus")
    assert told.text.startswith("1 targets are up, 1 rules are evaluated")
    assert told.state == "good"


@pytest.mark.needs("prometheus")
def test_a_prometheus_that_misses_a_target_is_a_problem(tmp_path, settings):
    with watching(tmp_path, free_port(), f"127.0.0.1:{free_port()}") as settings.PROMETHEUS_URL:
        told = asked("prometheus")
    assert (told.state, told.text) == ("problem", "Prometheus does not reach: prometheus.")


@pytest.mark.parametrize("name", ["alertmanager", "grafana"])
def test_a_watcher_that_is_set_and_gone_is_a_problem(name, settings):
    setattr(settings, f"{name.upper()}_URL", f"http://127.0.0.1:{free_port()}")
    told = asked(name)
    assert (told.state, told.fault) == ("problem", "Unanswered")


def test_a_mail_server_is_greeted_and_a_missing_one_told(inbox, settings):
    assert asked("mail").state == "good"
    settings.EMAIL_PORT = free_port()
    assert "does not answer" in asked("mail").text
    assert inbox == []
