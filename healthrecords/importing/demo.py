"""The demo data: made-up people to try the server out with, never beside real records."""

from pathlib import Path

from django.conf import settings

from healthrecords.access.request import AccessRequest
from healthrecords.fhir.resource import registry

from .files import survey
from .importer import Importer, Report
from .models import KeptResource

SOURCE = "import:demo"
OURS = (SOURCE, "token:health-smoke")  # also the test patient of `health smoke`, which is nobody
FILE = Path(__file__).resolve().parents[1] / "demo" / "demo.ndjson.gz"


class RealRecords(Exception):
    """The database holds records that are no demo data."""


def load(request: AccessRequest) -> Report:
    """Load the demo data; what is there already stays. Raise RealRecords, or Busy while an import runs."""
    if _others():
        raise RealRecords
    return Importer(request, SOURCE).run([survey(FILE)])


def reigns() -> bool:
    """Whether this is a demo directory of `make run`: the demo data is there, and no other record."""
    if not settings.EMBEDDED or _others():
        return False
    return any(resource.model.objects.filter(source=SOURCE).exists() for resource in registry().values())


def _others() -> bool:
    records = any(resource.model.objects.exclude(source__in=OURS).exists() for resource in registry().values())
    return records or KeptResource.objects.exclude(source=SOURCE).exists()
