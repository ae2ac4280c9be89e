"""How checks are run: each within its limit, what it needs first, nothing of an exception told but its type."""

import time

import pytest

from ops.health import registry
from ops.health.registry import Check, NotConfigured, Problem, run


@pytest.fixture
def check(monkeypatch):
    """Enter a check; the others are not there."""
    entered = {}
    monkeypatch.setattr(registry, "checks", lambda: entered)

    def check(name, function, needs="", limit=2.0):
        entered[name] = Check(name, "group", function, limit, "Do this.", needs)
        return entered[name]

    return check


def raising(fault):
    def function():
        raise fault

    return function


def test_a_check_tells_what_it_found(check):
    (told,) = run([check("a", lambda: "All is well.")])
    assert (told.state, told.text, told.next_step) == ("good", "All is well.", "")


def test_a_problem_is_told_with_its_next_step_and_else_with_that_of_the_check(check):
    named, unnamed = run([check("a", raising(Problem("Bad.", "Do that."))), check("b", raising(Problem("Bad.")))])
    assert (named.state, named.next_step, unnamed.next_step) == ("problem", "Do that.", "Do this.")


def test_an_exception_is_a_problem_and_its_text_stays_out(check):
    (told,) = run([check("a", raising(ValueError("Jansen at 10.0.0.1")))])
    assert (told.state, told.fault) == ("problem", "ValueError")
    assert "Jansen" not in told.text


def test_what_is_not_configured_is_no_problem(check):
    (told,) = run([check("a", raising(NotConfigured("Nothing is set.")))])
    assert (told.state, told.text) == ("not configured", "Nothing is set.")


def test_a_check_without_an_answer_is_a_problem_after_its_limit_and_keeps_nobody_waiting(check):
    hanging, quick = check("a", lambda: time.sleep(30) or "", limit=0.1), check("b", lambda: "Here.")
    told = run([hanging, quick])
    assert [(each.state, each.text) for each in told] == [
        ("problem", "No answer within 0.1 s."),
        ("good", "Here."),
    ]


def test_what_a_check_needs_is_asked_first_and_without_it_the_check_is_not_asked(check):
    asked = []
    check("a", lambda: "Up.")
    check("b", raising(Problem("Down.")))
    one = check("c", lambda: asked.append("c") or "Here.", needs="a")
    other = check("d", lambda: asked.append("d") or "Here.", needs="b")
    told = {each.check: each.state for each in run([one, other])}
    assert told == {"a": "good", "b": "problem", "c": "good", "d": "not asked"}
    assert asked == ["c"]


def test_checks_in_turn_do_not_overlap(check):
    inside = []

    def alone():
        inside.append(1)
        assert len(inside) == 1
        time.sleep(0.02)
        inside.pop()
        return "Alone."

    told = run([check(name, alone) for name in "abc"], in_turn=True)
    assert [each.state for each in told] == ["good"] * 3


def test_every_check_says_what_to_do_next():
    assert all(each.next_step.endswith((".", "`.")) for each in registry.checks().values())
    assert {each.needs for each in registry.checks().values()} - {""} <= set(registry.checks())
