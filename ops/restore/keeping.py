"""A restored instance that goes on running beside the server: on this machine alone, with the roles' own passwords."""

import os
import subprocess
import time
from pathlib import Path

from django.conf import settings

from healthrecords.embedded.ports import kept_ports
from healthrecords.embedded.postgres import account, programs
from ops.backup.faults import BackupFault

_PATIENCE = 60.0  # seconds


def start(cluster: Path) -> int:
    """Start PostgreSQL on a restored cluster and return its port; it outlives this command. Raise BackupFault."""
    port = kept_ports(cluster.parent / "ports.json", ("postgres",))["postgres"]
    tools, owner = programs(settings.BACKUP_WORK_DIR, account()), account()
    # Tasks, seals and the receiver know the server alone: this instance gets none of them.
    options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "archive_mode": "off"}
    arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    arguments += ["-c", "synchronous_standby_names="]
    with (cluster.parent / "postgres.log").open("ab") as log:
        subprocess.Popen(
            [str(tools / "postgres"), "-D", str(cluster), *arguments],
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            cwd=cluster.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=owner.uid if owner else None,
            group=owner.gid if owner else None,
            extra_groups=[] if owner else None,
        )
    _wait(tools, port, cluster.parent / "postgres.log")
    return port


def _wait(tools: Path, port: int, log: Path) -> None:
    asked = [str(tools / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-t", "2"]
    deadline = time.monotonic() + _PATIENCE
    while subprocess.run(asked, env={"PATH": os.defpath}, check=False).returncode:
        if time.monotonic() > deadline:
            raise BackupFault(f"The restored instance does not answer; {log} says why.")
        time.sleep(0.1)
