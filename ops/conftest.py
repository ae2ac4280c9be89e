"""What the tests of backups and restores share."""

import sys

import pytest
from django.core.management import load_command_class

from ops.backup.tests.cluster import Cluster
from ops.backup.tests.site import Operated, Site
from ops.copies.tests.archive import archive_in, move_to_a_bucket


@pytest.fixture(scope="session")
def _cluster():
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def operate(db, capsys, monkeypatch):
    """Run a command as manage.py does; return how it ended."""

    def operate(group, *arguments):
        argv = ["manage.py", group, *arguments]
        monkeypatch.setattr(sys, "argv", argv)
        capsys.readouterr()
        code = 0
        try:
            load_command_class("ops", group).run_from_argv(argv)
        except SystemExit as ended:
            code = ended.code or 0
        return Operated(code, *capsys.readouterr())

    return operate


@pytest.fixture
def make_site(settings, django_db_blocker):
    """Make a site of another cluster, to which the settings then lead."""

    def make_site(cluster):
        for name, value in cluster.settings().items():
            setattr(settings, name, value)
        return Site(cluster)

    with django_db_blocker.unblock():
        yield make_site


@pytest.fixture
def site(_cluster, make_site, monkeypatch):
    """A running cluster with an empty repository."""
    monkeypatch.setenv("HEALTHCARE_POSTGRES_BIN", str(_cluster.postgres.programs))
    yield make_site(_cluster)
    _cluster.forget()


@pytest.fixture
def archive(db, settings, tmp_path, monkeypatch):
    """Documents in the store, and an empty place for their copy."""
    with archive_in(settings, tmp_path, monkeypatch) as archive:
        yield archive


@pytest.fixture
def in_a_bucket(archive, settings):
    """The copy is in a bucket."""
    move_to_a_bucket(settings)
    return archive
