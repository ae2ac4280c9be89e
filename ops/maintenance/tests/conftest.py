"""What the tests of maintenance share."""

import pytest
from django.db import connections

from ops.maintenance import tuning


@pytest.fixture
def cluster(_cluster, db, monkeypatch):
    """Maintenance signs in at a cluster whose settings nobody else shares."""
    known = connections["maintenance"].settings_dict
    connections["maintenance"].close()
    for name, value in (("PORT", _cluster.postgres.port), ("NAME", "healthrecords"),
                        ("PASSWORD", _cluster.passwords["database_maintenance"])):  # fmt: skip
        monkeypatch.setitem(known, name, value)
    yield _cluster
    tuning.undo()
    connections["maintenance"].close()
