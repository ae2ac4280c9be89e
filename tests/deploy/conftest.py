"""What the tests of the production shape share: the compose file, its secrets, a HAProxy that really runs."""

import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root():
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def compose():
    """The compose file with its anchors resolved."""
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="session")
def secrets_dir(tmp_path_factory):
    """A directory with every secret file, as an operator makes it."""
    directory = tmp_path_factory.mktemp("secrets")
    subprocess.run(["sh", ROOT / "deploy/secrets.sh", "ehr.example.org", directory], check=True, capture_output=True)
    return directory
