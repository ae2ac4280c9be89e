"""The charts: their shapes, and the page."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from ops.monitoring.history.chart import Chart, end_of_axis, said
from ops.monitoring.history.figures import FIGURES
from ops.monitoring.history.models import Sample
from ops.monitoring.history.ranges import RANGES

PAGE = "/admin/ops/sample/"
PLAIN = next(figure for figure in FIGURES if figure.name == "requests")
NONE = None


def chart(*values, heard=None, **changes):
    return Chart(replace(PLAIN, **changes), values, heard or [value is not None for value in values])


def test_the_line_breaks_where_nothing_is_known_and_a_lone_value_is_a_dash():
    drawn = chart(5, 10, NONE, 10, NONE)
    assert drawn.top == 10
    assert drawn.line == "M0.5 50.00 L1.5 0.00 M3 0.00 L4 0.00"
    assert drawn.area == "M0.5 100 L0.5 50.00 L1.5 0.00 L1.5 100 Z M3 100 L3 0.00 L4 0.00 L4 100 Z"


def test_a_gap_is_where_nothing_was_heard_and_not_where_a_minute_had_no_request():
    drawn = chart(1, NONE, NONE, 1, NONE, heard=[True, False, False, True, False])
    assert drawn.gaps == [(1, 2)]  # the last step has only begun
    assert drawn.told == "Between 1 and 1, 1 on average. 1 gap without samples."
    assert chart(1, NONE, 1, heard=[True, True, True]).gaps == []


def test_the_limit_is_drawn_once_values_come_near_it():
    assert chart(5, limit=200).limit is None
    assert chart(150, limit=200).limit == 0
    assert chart(350, limit=200).limit == 60
    assert (chart(350, limit=200).over, chart(200, limit=200).over) == (True, False)
    assert not chart(350, NONE, NONE, limit=200).over


def test_nothing_known_is_said_so():
    assert chart(NONE, NONE).told == "Nothing is known of this time."
    assert chart(NONE, NONE).line == ""


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0, "", "0"), (0.123, "", "0.12"), (12.345, "", "12.3"), (1234.5, "", "1,234"), (87.62, "ms", "87.6 ms"),
        (41.26, "%", "41.3%"), (0.4, "s", "0.4 s"), (59, "s", "59 s"), (150, "s", "2.5 min"), (93600, "s", "26 h"),
        (172800, "s", "2 d"), (2500, "ms", "2.5 s"), (NONE, "s", "none"),
    ],
)  # fmt: skip
def test_a_value_is_said_with_its_unit(value, unit, words):
    assert said(value, unit) == words


@pytest.mark.parametrize(
    ("highest", "unit", "end"),
    [(0, "", 1), (3, "", 5), (51, "ms", 100), (41, "%", 100), (130, "s", 300), (90000, "s", 172800)],
)
def test_an_axis_ends_at_a_round_number(highest, unit, end):
    assert end_of_axis(highest, unit) == end


@pytest.mark.parametrize("name", RANGES)
def test_steps_and_rows_divide_each_range(name):
    shown = RANGES[name]
    assert shown.length % shown.row == shown.row % shown.step == timedelta(0)
    assert 200 <= shown.length // shown.step <= 400
    now = datetime(2026, 3, 10, 12, 7, tzinfo=UTC)
    begin, end = shown.window(now)
    assert begin < now < end
    assert end - begin == shown.length
    assert len(shown.labels(now)) == shown.marks + 1


@pytest.fixture
def hours(db):
    """Samples of the last two hours, each two minutes, with half an hour in which the server was down."""
    for number in range(0, 120, 2):
        if not 40 <= number < 70:
            figures = dict.fromkeys((figure.name for figure in FIGURES), None) | {"requests": 12, "memory": 81.5}
            Sample.objects.create(time=timezone.now() - timedelta(minutes=number), figures=figures)


def test_an_operator_sees_values_limits_and_the_gap(hours, signed_in):
    page = signed_in("operator").get(PAGE).content.decode()
    assert "Between 12 and 12, 12 on average. 2 gaps without samples." in page
    assert "81.5%" in page
    assert "Over the limit" in page
    assert page.count("<svg viewBox") == len(FIGURES)


@pytest.mark.parametrize("name", [*RANGES, "century"])
def test_every_range_is_shown_and_an_unknown_one_is_a_day(hours, signed_in, name):
    answer = signed_in("auditor").get(PAGE, {"range": name})
    assert answer.status_code == 200
    assert answer.context["shown"].name == (name if name in RANGES else "day")


def test_without_samples_the_page_says_so(db, signed_in):
    assert "There is no sample of this time" in signed_in("operator").get(PAGE).content.decode()


def test_whoever_does_not_operate_has_no_charts(db, signed_in):
    assert signed_in("clinician").get(PAGE).status_code == 403
