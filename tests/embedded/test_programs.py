"""A test whose system program is missing is left out and named, or fails where all must run."""

import os
import subprocess
import sys

import pytest

from healthrecords.embedded.datadir import CHECKOUT


@pytest.fixture
def collect(tmp_path):
    """Collect one test that needs Chromium, on a system without it."""
    file = tmp_path / "test_browser.py"
    file.write_text("import pytest\n@pytest.mark.needs('chromium')\ndef test_a(): pass\ndef test_b(): pass\n")

    def run(**environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "conftest",
                "--collect-only",
                "-q",
                "-p",
                "no:cacheprovider",
                str(file),
            ],
            cwd=CHECKOUT,
            env={"PATH": str(tmp_path), "HOME": os.environ.get("HOME", "/")} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_others_run_and_the_end_names_what_did_not(collect):
    done = collect()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1/2 tests collected (1 deselected)" in done.stdout
    assert "Not run: tests that need chromium (Debian: chromium): 1." in done.stdout


def test_a_missing_program_is_a_failure_where_all_must_run(collect):
    done = collect(HEALTHCARE_REQUIRE_PROGRAMS="1")
    assert done.returncode != 0
    assert "tests that need chromium" in done.stderr
