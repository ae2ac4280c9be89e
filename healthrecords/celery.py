"""The Celery application."""

import os

import django
from celery import Celery
from django.apps import apps

from healthrecords import checks
from healthrecords.schedule import TASK_PACKAGES, beat_schedule
from healthrecords.startup import one_sentence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthrecords.settings")

app = Celery("healthrecords")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(TASK_PACKAGES)
app.add_defaults(lambda: {"beat_schedule": beat_schedule()})  # not yet: it would read the settings here

# The `celery` command imports this module first; a fault of the settings ends it here.
if not (apps.ready or apps.loading):
    with one_sentence():
        django.setup()
        checks.refuse_foreign_keys()
