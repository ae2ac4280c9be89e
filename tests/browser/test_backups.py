"""The page of backups in a browser: readable at a desk and on a phone, for those without sight too."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.proof.models import Backups
from tests.browser.test_admin import faults, fits

pytestmark = pytest.mark.needs("chromium")
DAYS = 8


def chain(begin: datetime, now: datetime, number: int) -> dict[str, Any]:
    """A full backup with an incremental one every hour of its day."""
    times = [begin + timedelta(hours=hour) for hour in range(24) if begin + timedelta(hours=hour) < now]
    links = [
        {"id": f"b{number}-{hour}", "stopped": time.isoformat(), "size": 250_000 if hour else 48_000_000,
         "seconds": 8.4, "proven": (time + timedelta(hours=1)).isoformat() if hour == 2 else None}
        for hour, time in enumerate(times)
    ]  # fmt: skip
    kept = [*(["newest"] if number == DAYS - 1 else []), "daily", *(["weekly"] if number == 3 else [])]
    size = sum(link["size"] for link in links)
    return {
        "id": f"b{number}",
        "type": "archive" if number == 3 else "full",
        "size": size,
        "kept": kept,
        "links": links,
    }


@pytest.fixture
def known(db):
    """Eight days of backups, one of them an archive, each day proven, with a named point."""
    now = datetime.now(UTC)
    first = now - timedelta(days=DAYS - 1, hours=9, minutes=40)
    chains = [chain(first + timedelta(days=day), now, day) for day in range(DAYS)][::-1]
    newest = chains[0]["links"][-1]
    data = {
        "time": now.isoformat(), "newest": newest, "begin": first.isoformat(), "until": now.isoformat(),
        "proof": {"backup": "b7-2", "time": (now - timedelta(hours=6)).isoformat(), "seconds": 41.3, "age": 22.8},
        "bytes": 512_000_000, "chains": chains, "kept_log_bytes": 0,
        "points": [{"name": "before-the-upgrade", "time": (now - timedelta(days=2, hours=5)).isoformat()}],
        "warnings": ["Keys have changed since the last recovery kit: make a new one with `backup kit FILE`."],
    }  # fmt: skip
    return Backups.objects.create(time=now, data=data)


def test_an_operator_reads_the_timeline_and_gets_the_command_for_a_point(enter, live_server, known):
    page = enter("operator")
    page.get_by_role("link", name="Backups").first.click()
    assert page.get_by_role("img", name="Timeline of the backups: 8 chains").is_visible()
    assert page.get_by_text("Keys have changed since the last recovery kit").is_visible()
    assert faults(page) == []
    assert fits(page)
    page.get_by_label("Or a named point").select_option("before-the-upgrade")
    page.get_by_role("button", name="Show the command").click()
    assert page.get_by_text("--to-point before-the-upgrade --dry-run").is_visible()
    assert faults(page) == []
    assert fits(page)
