"""Read what Alertmanager posts (webhook, version 4), as something that anybody could have sent: bounded, plain text."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from healthrecords.notify.models import Severity

MOST = 256 * 1024  # bytes of a body
ALERTS = 500  # of one body
LABELS = 20  # of one alert
LONGEST = 200  # characters of a value
WATCHDOG = "Watchdog"  # the alert that always fires
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_RUNBOOK = re.compile(r"https://[!-~]{1,190}|docs/runbooks/[a-z0-9/_-]{1,100}\.md(#[a-z0-9-]{1,80})?")


class Malformed(Exception):
    """The body is not what Alertmanager posts; the text says why."""


@dataclass(frozen=True)
class Heard:
    """One alert of a body. `ended` is None while it fires."""

    fingerprint: str
    name: str
    severity: str
    started: datetime
    ended: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    runbook: str = ""


def read(body: bytes) -> list[Heard]:
    """Return the alerts of a body; raise Malformed for one that is too long or of another form."""
    if len(body) > MOST:
        raise Malformed(f"The body is longer than {MOST} bytes.")
    try:
        alerts = json.loads(body)["alerts"]
        if not isinstance(alerts, list) or len(alerts) > ALERTS:
            raise Malformed(f"A body holds a list of at most {ALERTS} alerts.")
        return [_alert(each) for each in alerts]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Malformed("This is not what Alertmanager posts to a webhook.") from None


def _alert(sent: dict[str, Any]) -> Heard:
    labels, notes = dict(sent["labels"]), _texts(sent.get("annotations") or {})
    name, severity, fingerprint = labels.pop("alertname"), labels.pop("severity", ""), sent["fingerprint"]
    if not (_NAME.fullmatch(name) and _FINGERPRINT.fullmatch(fingerprint) and sent["status"] in ("firing", "resolved")):
        raise ValueError
    runbook = notes.get("runbook_url", "")
    return Heard(
        fingerprint, name, severity if severity in Severity.values else Severity.INFO, _time(sent["startsAt"]),
        _time(sent["endsAt"]) if sent["status"] == "resolved" else None, _texts(labels), notes.get("summary", ""),
        runbook if _RUNBOOK.fullmatch(runbook) else "",
    )  # fmt: skip


def _texts(sent: dict[str, Any]) -> dict[str, str]:
    """The first names and values, cut where they are long, without what is not printable."""
    named = [(name, value) for name, value in sent.items() if _NAME.fullmatch(name) and isinstance(value, str)]
    return {name: "".join(filter(str.isprintable, value))[:LONGEST] for name, value in named[:LABELS]}


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None or not 2000 < time.year < 2200:
        raise ValueError
    return time.astimezone(UTC)
