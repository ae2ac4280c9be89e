"""The daily test of the backups on real records: patients, documents, and a trail that is sealed."""

from datetime import timedelta
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
from django.conf import settings as configured
from django.db import connections

from compliance.audit import sealing
from compliance.audit.tests.hands import finished, superuser, unguarded
from documents.models import Content
from ops.backup.receiver import Receiver
from ops.backup.taking import take
from ops.copies.copying import copy
from ops.copies.stores import stores
from ops.proof import sampling
from ops.proof.proving import prove


@pytest.fixture
def received(db, settings):
    """The tests' own database, whose log is received."""
    name = connections["default"].settings_dict["NAME"]
    settings.BACKUP_DATABASE_URL = urlsplit(configured.BACKUP_DATABASE_URL)._replace(path=f"/{name}").geturl()
    stop = Event()
    receiver = Receiver(lambda _: None, open_every=0)
    thread = Thread(target=receiver.run, args=[lambda seconds: stop.wait(seconds / 10)])
    thread.start()
    yield
    stop.set()
    thread.join()
    with superuser() as cursor:
        cursor.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


def some_records(integrator):
    integrator.create()
    answer = integrator.post("Binary", b"%PDF-1.7 a letter", Content_Type="application/pdf")
    assert answer.status_code == 201, answer.content
    finished()
    sealing.seal()


@pytest.mark.usefixtures("received")
def test_records_trail_and_documents_are_proven_and_what_is_wrong_with_them_is_found(integrator, monkeypatch):
    some_records(integrator)
    take("full")
    copy("copy")
    good = prove()
    assert good.findings == []
    assert good.tables > 50
    with unguarded() as cursor:
        cursor.execute("UPDATE compliance_accessevent SET route = 'another'")
    document = Content.objects.get()
    for stored in list(stores().place.names("objects/")):
        stores().place.remove(stored.name)
    monkeypatch.setattr(sampling, "COPIED_WITHIN", timedelta(0))
    take("incremental")
    found = " ".join(prove().findings)
    assert "The audit trail:" in found
    assert f"The copy of Binary/{document.uuid} is missing" in found
