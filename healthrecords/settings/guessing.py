"""Stops guessing (healthrecords.accounts.attempts and .guessing). django-axes stops whoever goes on failing."""

from datetime import timedelta

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]

AXES_HANDLER = "healthrecords.accounts.guessing.LockOut"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 20  # failures with less than the time below between them; one window permits ten
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "healthrecords.accounts.guessing.axes_username"
AXES_CLIENT_IP_CALLABLE = "healthrecords.accounts.guessing.axes_address"
AXES_LOCKOUT_CALLABLE = "healthrecords.accounts.guessing.axes_locked_out"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True
