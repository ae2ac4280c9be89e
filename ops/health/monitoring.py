"""Whether the server is served, and what watches it: its metrics, Prometheus, Alertmanager, Grafana."""

from typing import Any

from django.conf import settings

from ops.monitoring.history.sampling import Silent, scrape

from .registry import NotConfigured, Problem, check
from .web import Site, Unanswered

_WEB = "`services status` names what runs; `services logs gunicorn` says why."


@check("web", "processes", limit=6, next_step=_WEB)
def web() -> str:
    """Ask the web server itself whether it lives, where its metrics are asked for."""
    url = settings.METRICS_ADDRESS.removesuffix("/metrics")
    return _lives(Site(url), "Correct HEALTHCARE_METRICS_ADDRESS.")


@check(
    "address", "processes", limit=6, next_step="Look at the proxy and its certificate; HEALTHCARE_FRONT leads there."
)
def address() -> str:
    """Ask by the address that people use: through name, proxy and TLS."""
    if settings.METRICS_ADDRESS.startswith(settings.PUBLIC_URL):
        raise NotConfigured("No proxy: people reach the web server itself.")
    if not settings.FRONT:
        raise NotConfigured("Not asked from here: HEALTHCARE_FRONT is not set.")
    return _lives(itself(), "Correct HEALTHCARE_PUBLIC_URL or HEALTHCARE_FRONT.")


def _lives(site: Site, step: str) -> str:
    if _asked(site, "/health").get("status") != "ok":
        raise Problem("Something else than this server answers.", step)
    return f"{site.url} is served."


@check("metrics", "monitoring", limit=10, next_step="Look at `services logs gunicorn`; the token is in metrics-token.")
def metrics() -> str:
    """Read the metrics as Prometheus does."""
    if not settings.METRICS_TOKEN:
        raise NotConfigured("No metrics: HEALTHCARE_METRICS_TOKEN is not set.")
    try:
        scrape()
    except Silent as fault:
        raise Problem(str(fault)) from fault
    return f"{settings.METRICS_ADDRESS} tells them."


@check("prometheus", "monitoring", limit=10, next_step="Start Prometheus, or correct HEALTHCARE_PROMETHEUS_URL.")
def prometheus() -> str:
    """Ask Prometheus whether all of its targets and rules are well."""
    site = _watcher("PROMETHEUS_URL", "Prometheus")
    targets = _asked(site, "/api/v1/targets?state=active")["data"]["activeTargets"]
    if down := sorted({each["labels"]["job"] for each in targets if each["health"] == "down"}):
        raise Problem(f"Prometheus does not reach: {', '.join(down)}.", "Start what is down (`services status`).")
    rules = [rule for group in _asked(site, "/api/v1/rules")["data"]["groups"] for rule in group["rules"]]
    if faulty := [rule["name"] for rule in rules if rule["health"] == "err"]:
        raise Problem(f"Prometheus cannot evaluate {', '.join(faulty)}.", "Look at the rules page of Prometheus.")
    if not rules:
        raise Problem("Prometheus has no rules, so that nothing alerts.", "Mount deploy/prometheus/rules.")
    firing = sum(rule.get("state") == "firing" for rule in rules)
    return f"{len(targets)} targets are up, {len(rules)} rules are evaluated, {firing} fire."


@check("alertmanager", "monitoring", limit=6, next_step="Start Alertmanager, or correct HEALTHCARE_ALERTMANAGER_URL.")
def alertmanager() -> str:
    """Ask Alertmanager whether it runs with its configuration."""
    found = _asked(_watcher("ALERTMANAGER_URL", "Alertmanager"), "/api/v2/status")
    return f"Alertmanager {found['versionInfo']['version']} answers."


@check("grafana", "monitoring", limit=6, next_step="Start Grafana, or correct HEALTHCARE_GRAFANA_URL.")
def grafana() -> str:
    """Ask Grafana for its own health."""
    found = _asked(_watcher("GRAFANA_URL", "Grafana"), "/api/health")
    if found.get("database") != "ok":
        raise Problem("Grafana has lost its database.", "Restart Grafana; its dashboards are provisioned from code.")
    return "Grafana answers."


def itself() -> Site:
    """This server, as people reach it."""
    return Site(settings.PUBLIC_URL, front=settings.FRONT)


def _watcher(setting: str, name: str) -> Site:
    url: str = getattr(settings, setting)
    if not url:
        raise NotConfigured(f"No {name}: HEALTHCARE_{setting} is not set.")
    return Site(url)


def _asked(site: Site, path: str) -> Any:
    """The JSON at a path; raise Problem for anything but 200."""
    try:
        answer = site.get(path)
        if answer.status == 200:
            return answer.json()
    except Unanswered as fault:
        raise Problem(str(fault)) from fault
    raise Problem(f"{site.url} answers with status {answer.status}.")
