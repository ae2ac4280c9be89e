"""A database that is really backed up and restored opens a new epoch, and what was sealed before still verifies."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from compliance.audit import heads, sealing, shipping
from compliance.audit.store import Store
from healthrecords import trail
from healthrecords.cli import host_request
from ops.backup.tests.cluster import Cluster
from ops.backup.tests.site import Site
from ops.restore import checks
from ops.restore.instance import Instance

PASSWORDS = {
    "default": "database_app", "trail": "database_app", "owner": "database_owner", "sealer": "database_sealer",
}  # fmt: skip


@pytest.fixture
def site(db, settings, monkeypatch, tmp_path):
    """A cluster of its own with our tables, to which Django's connections lead, a repository and a witness."""
    before = {alias: dict(checks.connections.settings[alias]) for alias in PASSWORDS}
    plugged = settings.BACKUP_TRAIL_SEAL, settings.BACKUP_NEW_EPOCH
    cluster = Cluster()
    try:
        cluster.start()
        monkeypatch.setenv("HEALTHCARE_POSTGRES_BIN", str(cluster.postgres.programs))
        for name, value in cluster.settings().items():
            setattr(settings, name, value)
        settings.BACKUP_TRAIL_SEAL, settings.BACKUP_NEW_EPOCH = plugged
        (tmp_path / "witness").mkdir()
        settings.AUDIT_WITNESS = (tmp_path / "witness").as_uri()
        monkeypatch.setattr(Store, "prefix", f"{tmp_path.name}/")
        here = {"HOST": "127.0.0.1", "PORT": cluster.postgres.port, "NAME": "healthrecords"}
        checks._lead({alias: {**here, "PASSWORD": cluster.passwords[name]} for alias, name in PASSWORDS.items()})
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        yield Site(cluster)
    finally:
        checks._lead(before)
        cluster.remove()


def happen(number):
    """Leave events, seal them and ship the statement."""
    for _ in range(number):
        trail.record(host_request("test"), [trail.Fact("command")])
    sealing.seal()
    shipping.ship()


def verify():
    """The exit code and the JSON of `audit verify`."""
    out = StringIO()
    code = 0
    try:
        call_command("audit", "verify", "--json", stdout=out)
    except SystemExit as ended:
        code = ended.code
    return code, json.loads(out.getvalue())


def test_a_restored_database_begins_an_epoch_and_verifies_with_its_loss_told(site, tmp_path):
    happen(3)
    site.back_up()
    known = heads.last().row.number
    happen(2)
    done = site.restore()
    assert done.epoch
    instance = Instance(done.folder, tmp_path / "restored.log")
    instance.start()
    try:
        instance.wait()
        with checks.pointed(instance):
            happen(1)
            newest = heads.last()
            code, told = verify()
    finally:
        instance.kill()
    assert (code, told["findings"]) == (0, [])
    assert (newest.said["epoch"], told["events"] >= 4) == (2, True)
    lost = [note for note in told["notes"] if f"epoch 1 after {known}" in note]
    assert [note.split()[1] for note in lost] == ["store", "witness"]
