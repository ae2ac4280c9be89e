"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from healthrecords import checks
from healthrecords.startup import one_sentence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthrecords.settings")

# Exit code 3 tells gunicorn's master that no worker can start, so that it ends instead of trying again.
with one_sentence(exit_code=3):
    application = get_wsgi_application()
    checks.refuse_foreign_keys()
