"""The virus scanner of documents: clamd, if there is one."""

import re

from django.core.exceptions import ImproperlyConfigured

from .environment import optional

CLAMAV = optional("HEALTHCARE_CLAMAV")
if CLAMAV and not re.fullmatch(r"unix:/\S+|tcp://(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):\d{1,5}", CLAMAV):
    raise ImproperlyConfigured("HEALTHCARE_CLAMAV must be unix:/path/of/the/socket or tcp://host:port.")
