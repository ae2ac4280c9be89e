"""Metrics for Prometheus: how many requests, how long they took, with what status."""
