"""deploy/clamav/clamd.conf, as clamd itself reads it."""

import pytest
from django.conf import settings

from documents.limits import bounds
from documents.scanning import clamd
from documents.tests.scanners import EICAR, clamd_running

MB = 1024**2


@pytest.fixture(scope="session")
def config(root):
    """The options of the file."""
    lines = (root / "deploy/clamav/clamd.conf").read_text().splitlines()
    return dict(line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))


def size(text):
    return int(text.removesuffix("M")) * MB


def test_the_scanner_looks_at_whatever_the_application_lets_pass(config):
    assert size(config["StreamMaxLength"]) >= settings.DOCUMENT_MAX_BYTES
    assert size(config["MaxFileSize"]) >= bounds.EXPANDED
    assert size(config["MaxScanSize"]) >= bounds.EXPANDED
    assert int(config["MaxFiles"]) >= bounds.ENTRIES
    assert config["AlertExceedsMax"] == "yes"


@pytest.mark.needs("clamd")
def test_clamd_takes_the_file_and_scans_by_it(config, tmp_path):
    more = {name: text for name, text in config.items() if not name.startswith(("TCP", "Database", "Temporary"))}
    with clamd_running(tmp_path, more) as address:
        assert clamd.scan(address, [bytes(MB)] * 30) == clamd.Verdict()
        assert clamd.scan(address, [EICAR]).threat.startswith("Eicar")
