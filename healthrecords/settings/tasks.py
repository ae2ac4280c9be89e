"""Celery: background work. The timetable is healthrecords/schedule.py."""

from .environment import number, server_url

CELERY_BROKER_URL = server_url("HEALTHCARE_BROKER_URL", "redis", "rediss", "redis+socket")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# Longer than the longest job: the transport's default of an hour would hand a long job out twice.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 24 * 3600, "socket_connect_timeout": 2}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "ops.schedule.beat.Timetable"
# Beat and the workers say twelve times as often that they live; after so many seconds without a word they are silent.
SCHEDULE_SILENCE = number("HEALTHCARE_SCHEDULE_SILENCE_SECONDS", 180, least=6)
CELERY_BEAT_MAX_LOOP_INTERVAL = SCHEDULE_SILENCE / 12
