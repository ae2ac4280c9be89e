"""Writes Grafana's dashboards from the rows in dashboards.toml: `python deploy/grafana/generate.py`.

A panel has a `title`, `queries` (legend → PromQL expression) and a `unit` of Grafana's. Its `kind` is graph, or stat,
which shows the newest value alone. Values above `limit`, or below `floor`, are red.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = {"type": "prometheus", "uid": "prometheus"}  # provisioning/datasources
TYPES = {"graph": "timeseries", "stat": "stat"}
SIZES = {"graph": (12, 8), "stat": (6, 4)}  # of 24 columns, and in rows of 30 pixels
TAG = "healthrecords"


def rows() -> dict[str, dict[str, Any]]:
    """Each dashboard's title, words and panels, by its uid."""
    return tomllib.loads((HERE / "dashboards.toml").read_text())


def written(uid: str, row: dict[str, Any]) -> str:
    """The file of one dashboard."""
    panels = [{"id": number, **_panel(panel)} for number, panel in enumerate(row["panels"], 1)]
    _lay_out(panels, [panel.get("kind", "graph") for panel in row["panels"]])
    dashboard = {
        "uid": uid,
        "title": row["title"],
        "description": row["about"],
        "tags": [TAG],
        "schemaVersion": 41,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [{"type": "dashboards", "tags": [TAG], "title": "Dashboards", "keepTime": True}],
        "panels": panels,
    }
    return json.dumps(dashboard, indent=1) + "\n"


def _panel(row: dict[str, Any]) -> dict[str, Any]:
    kind = row.get("kind", "graph")
    return {
        "type": TYPES[kind],
        "title": row["title"],
        "datasource": SOURCE,
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
            for number, (legend, expression) in enumerate(row["queries"].items())
        ],
        "fieldConfig": {"defaults": _field(row, kind), "overrides": []},
        "options": _OPTIONS[kind],
    }


def _field(row: dict[str, Any], kind: str) -> dict[str, Any]:
    custom = {"custom": {"fillOpacity": 8, "thresholdsStyle": {"mode": "dashed"}}} if kind == "graph" else {}
    steps = {"thresholds": {"mode": "absolute", "steps": _steps(row)}}
    return {"unit": row.get("unit", "short"), "min": 0, **steps, **custom}


def _steps(row: dict[str, Any]) -> list[dict[str, Any]]:
    if "floor" in row:
        return [{"color": "red", "value": None}, {"color": "green", "value": row["floor"]}]
    above = [{"color": "red", "value": row["limit"]}] if "limit" in row else []
    return [{"color": "green", "value": None}, *above]


def _lay_out(panels: list[dict[str, Any]], kinds: list[str]) -> None:
    """Give each its place: from left to right, on a new line where the line is full or the height changes."""
    x = y = height = 0
    for panel, kind in zip(panels, kinds, strict=True):
        w, h = SIZES[kind]
        if x + w > 24 or (x and h != height):
            x, y = 0, y + height
        panel["gridPos"] = {"x": x, "y": y, "w": w, "h": h}
        x, height = x + w, h


_OPTIONS: dict[str, dict[str, Any]] = {
    "graph": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}},
    "stat": {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "value"},
}

if __name__ == "__main__":
    for name, dashboard in rows().items():
        (HERE / "dashboards" / f"{name}.json").write_text(written(name, dashboard))
