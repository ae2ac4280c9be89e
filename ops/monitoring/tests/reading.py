"""Reads /metrics as Prometheus does."""

from typing import Any

from django.conf import settings
from django.test import Client
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

OTHERS = ("python_", "process_", "django_")  # of the interpreter and of django-prometheus, in a server of one process


def families() -> dict[str, Metric]:
    """The metrics that /metrics answers, by the name that rules use."""
    answer: Any = Client().get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    assert answer.status_code == 200
    found = text_string_to_metric_families(answer.content.decode())
    return {_name(each): each for each in found if each.samples and not each.name.startswith(OTHERS)}


def value(name: str, **labels: str) -> float:
    """The sum of the samples of a name that have these labels; 0.0 where there are none."""
    wanted = labels.items()
    samples = (sample for family in families().values() for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == name and wanted <= sample.labels.items())


def _name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name
