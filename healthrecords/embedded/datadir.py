"""Where a running server keeps what it writes: `HEALTHCARE_DATA_DIR`, or a place that fits the checkout."""

import hashlib
import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SHARED_HOME = Path("/var/lib/healthrecords")


def default_data_dir() -> Path:
    """Return `var/` in the checkout, or, for root, a folder that the unprivileged PostgreSQL account can reach.

    PostgreSQL refuses to run as root, so that root starts it as `nobody`. A checkout below a closed directory
    (root's home) is out of that account's reach; its data then lives in `/var/lib/healthrecords`, one folder for
    each checkout, named by the hash of the checkout's path.
    """
    if os.geteuid() != 0 or reachable_by_all(CHECKOUT):
        return CHECKOUT / "var"
    return SHARED_HOME / f"{CHECKOUT.name}-{hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]}"


def data_dir() -> Path:
    """Return the absolute path that HEALTHCARE_DATA_DIR names, or else the default."""
    return Path(os.environ.get("HEALTHCARE_DATA_DIR") or default_data_dir()).absolute()


def reachable_by_all(path: Path) -> bool:
    """Tell whether every account may pass through all directories down to `path`."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))
