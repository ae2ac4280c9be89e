"""Alerts of Prometheus, as Alertmanager hands them over: kept, told, shown; and the alarm for when it falls silent."""
