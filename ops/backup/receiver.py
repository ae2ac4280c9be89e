"""Receives the write-ahead log all the time: pg_receivewal on a slot, kept running, and its spool uploaded.

With HEALTHCARE_BACKUP_SYNCHRONOUS each commit waits until the log is on the spool's disk (docs/runbooks/backup.md).
"""

import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGINT
from time import monotonic

import orjson
from django.conf import settings

from healthrecords.embedded.process import die_with_parent
from healthrecords.embedded.restarts import Restart, after_crash

from . import log, slot
from .catalogue import lsn
from .faults import BackupFault
from .place import Place, place
from .programs import program
from .repository import Repository, repository
from .sealing import recipients
from .server import connected, facts, login
from .spool import Spool

NAME = "healthrecords_receiver"  # as synchronous_standby_names knows it
TURN = 1.0  # seconds between two looks
OPEN_EVERY = 60.0  # seconds between two uploads of the open segment: what the loss of the whole host costs
GAP = "the log has a gap: the database did not keep what was not received"


@dataclass
class Receiver:
    """One receiver; `say` is told what an operator should know."""

    say: Callable[[str], None]
    where: Place = field(default_factory=place)
    target: Repository = field(default_factory=repository)
    open_every: float = OPEN_EVERY

    def __post_init__(self) -> None:
        self.where.prepare()
        self.to = recipients(Path(settings.BACKUP_RECIPIENTS_FILE))
        self.child: subprocess.Popen[bytes] | None = None
        self.restart: Restart | None = None
        self.since, self.uploaded, self.trouble, self.system = 0.0, 0.0, "", ""

    def run(self, pause: Callable[[float], bool]) -> None:
        """Receive until `pause`, which waits, says that it is enough."""
        with self.where.locked("receiver"):
            try:
                while not pause(TURN):
                    self.turn()
            finally:
                self.end()

    def turn(self) -> None:
        """Look once: at the child, the spool, the clock. A fault is told once, and tried again at the next turn."""
        faults = [fault for step in (self._keep_running, self._upload) if (fault := _fault(step))]
        trouble = " ".join(faults)
        if trouble != self.trouble:
            self.say(trouble or "The log is received again.")
        self.trouble = trouble
        self._note()

    def end(self) -> None:
        """Stop the child, then upload what is left."""
        if self.child:
            self.child.send_signal(SIGINT)
            self.child.wait(30)
        self.uploaded = 0.0
        with suppress(BackupFault):
            self._upload()

    def _keep_running(self) -> None:
        now = monotonic()
        if self.child and self.child.poll() is None:
            self._note_horizon()
            return
        if self.child:
            self.restart, self.child = after_crash(self.restart, now - self.since, now), None
        if self.restart and now < self.restart.due:
            return
        self.since = now
        try:
            self._start()
        except BackupFault:
            self.restart = after_crash(self.restart, 0, now)
            raise

    def _start(self) -> None:
        """Make the slot if need be and start the child; a slot that had to be made anew means a gap."""
        self.system = facts().system
        folder = self.where.spool / self.system
        before = folder.is_dir()
        folder.mkdir(mode=0o700, exist_ok=True)
        if slot.ensure() and before:
            self._set_aside(folder)
        more = ("--synchronous",) if settings.BACKUP_SYNCHRONOUS else ()
        options = ("--no-loop", "--status-interval=1", "--no-password", *more)
        self.child = subprocess.Popen(
            [program("pg_receivewal"), f"--directory={folder}", f"--slot={slot.NAME}", *options],
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **login(NAME)},
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent(SIGINT),  # noqa: PLW1509
        )

    def _set_aside(self, folder: Path) -> None:
        """Begin a new spool where the database no longer has what would follow the old one; demand a full backup."""
        self._spool(folder).upload_finished()
        folder.rename(self.where.root / f"spool-before-gap-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        folder.mkdir(mode=0o700)
        self.where.full_demanded.write_text(GAP)
        self.say(f"A full backup is needed: {GAP}.")

    def _spool(self, folder: Path) -> Spool:
        return Spool(folder, self.target, self.to)

    def _note_horizon(self) -> None:
        """Once the child has written what the database had flushed at some time, all until then is in the spool."""
        with connected() as connection:
            row = connection.execute(
                "SELECT clock_timestamp(), pg_current_wal_flush_lsn()::text, "
                "(SELECT max(write_lsn)::text FROM pg_stat_replication WHERE application_name = %s)",
                [NAME],
            ).fetchone()
        if not row:
            return
        time, flushed, received = row
        spool = self._spool(self.where.spool / self.system)
        if received and lsn(received) >= lsn(flushed):
            spool.note_horizon(time, flushed)

    def _upload(self) -> None:
        """Upload finished segments at once, and once a minute the open ones with how far they reach."""
        due = monotonic() - self.uploaded >= self.open_every
        for folder in sorted(self.where.spool.iterdir()):
            spool = self._spool(folder)
            horizon = (folder / "horizon.json").read_bytes() if due and (folder / "horizon.json").is_file() else b""
            spool.upload_finished()
            if due:
                spool.upload_open()
                spool.upload_horizon(horizon)
        if due:
            self.uploaded = monotonic()

    def _note(self) -> None:
        """Leave the state in a file, for metrics, the console and `backup list`."""
        pending = sum(1 for path in self.where.spool.rglob("*") if log.is_segment(path.name))
        state = {"time": datetime.now(UTC), "system": self.system, "pending": pending, "trouble": self.trouble}
        new = self.where.root / "receiver.new"
        new.write_bytes(orjson.dumps(state))
        new.replace(self.where.root / "receiver.json")


def _fault(step: Callable[[], None]) -> str:
    try:
        step()
    except BackupFault as fault:
        return str(fault)
    return ""
