"""System programs that some tests need, and the Debian packages that bring them. The server itself needs none."""

import shutil

PACKAGES = {
    "age": "age",
    "chromium": "chromium",
    "git": "git",
    "haproxy": "haproxy",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus-postgres-exporter": "prometheus-postgres-exporter",
    "promtool": "prometheus",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "prometheus-redis-exporter": "prometheus-redis-exporter",
    "clamd": "clamav-daemon",
    "amtool": "prometheus-alertmanager",
    "script": "bsdutils",
    "zstd": "zstd",
}


def missing_programs() -> list[str]:
    """Return the names of those that are not installed."""
    return [name for name in PACKAGES if not shutil.which(name)]
