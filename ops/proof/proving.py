"""`backup test`: restores the newest chain from the repository alone, looks at everything, and removes it again.

The copy listens on a socket in a closed directory: no task, message or witness knows it. The restore goes to a point of
the log that is written on the way, so that rows can be compared with the live database exactly.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from healthrecords.crypto import known
from ops.backup import log, points
from ops.backup.catalogue import Point, moment, written
from ops.backup.faults import BackupFault
from ops.backup.place import Place, place
from ops.backup.programs import run
from ops.backup.repository import Repository, repository
from ops.backup.server import connected, facts
from ops.restore import checks
from ops.restore import plan as plans
from ops.restore.fetching import Advance
from ops.restore.instance import Instance
from ops.restore.plan import Plan
from ops.restore.recovering import Recovery, Say, refuse_unfit
from ops.restore.target import Target

from . import comparing, dumps, proofs, sampling
from .comparing import Counts
from .proofs import Proof
from .scratch import scratch

ARRIVAL = 150.0  # seconds for the log to be in the repository: more than twice what the receiver needs


@dataclass
class Proven:
    """How a test restore ended: its proof, and one sentence for each thing that is wrong. It is kept where none is."""

    proof: Proof
    findings: list[str] = field(default_factory=list)
    rows: int = 0
    tables: int = 0


@dataclass(frozen=True)
class _Moment:
    """A point of the log with what the live database held just before and just after it; `age` as in Proof."""

    point: Point
    before: Counts
    after: Counts
    age: float


def prove(say: Say = lambda _: None, advance: Advance = lambda _: None, arrival: float = ARRIVAL) -> Proven:
    """Test the newest chain; raise BackupFault where it could not even be tried. Gone afterwards, whatever happens."""
    where, target = place(), repository()
    target.check()
    with where.locked("test"), scratch(where) as folder:
        return _Test(where, target, folder, say, advance, arrival).run()


@dataclass
class _Test:
    """One test on its way."""

    where: Place
    target: Repository
    folder: Path
    say: Say
    advance: Advance
    arrival: float
    findings: list[str] = field(default_factory=list)

    def run(self) -> Proven:
        """Restore, check, measure; keep the proof where nothing is wrong."""
        self.started = datetime.now(UTC)
        newest = self._newest()
        refuse_unfit(newest)
        there = self._moment(newest)
        plan = self._plan(there)
        began = monotonic()
        recovery = Recovery(plan, self.target, self.folder / "cluster", self._messages(), self.say, self.advance)
        recovery.build()
        instance = recovery.recovered()
        seconds = monotonic() - began
        copy, dump = self._checked(instance, there)
        proof = Proof(plan.base.id, written(self.started), round(seconds, 3), round(there.age, 3), plan.needed, dump)
        if not self.findings:
            proofs.keep(self.target, proof)
        return Proven(proof, self.findings, sum(each.rows for each in copy.values()), len(copy))

    def _newest(self) -> Plan:
        """As far as the repository goes."""
        return plans.make(plans.Wanted(accept_gap=True), self._aim, self.target, self._apart)

    def _moment(self, newest: Plan) -> _Moment:
        """Write the point, with the live counts around it."""
        with connected() as connection:
            behind = (facts().time - (newest.complete_until or moment(newest.base.stopped))).total_seconds()
            before = comparing.count(connection)
            point = points.write(f"test-{self.started:%Y%m%dT%H%M%S}")
            return _Moment(point, before, comparing.count(connection), max(0.0, behind))

    @property
    def _aim(self) -> Target:
        return Target(self.folder / "cluster")

    @property
    def _apart(self) -> Place:
        """A place without a spool: what is tested is what the repository alone can bring back."""
        return Place(self.folder)

    def _plan(self, there: _Moment) -> Plan:
        """Up to the point once the log that holds it has arrived; else as far as the repository goes."""
        if self._arrived(there.point):
            return plans.make(plans.Wanted(point=there.point), self._aim, self.target, self._apart)
        self.findings.append(
            f"The log of this moment did not reach the repository within {self.arrival:.0f} s; `backup list` says why."
        )
        return self._newest()

    def _arrived(self, point: Point) -> bool:
        self.say("Waiting for the log")
        name = log.segment_name(point.timeline, log.number_at(point.lsn))
        deadline = monotonic() + self.arrival
        while not list(self.target.names(f"{log.folder(point.system)}{name}.")):
            if monotonic() > deadline:
                return False
            time.sleep(0.5)
        return True

    def _messages(self) -> Path:
        """The file of the server's messages, kept until the next test."""
        file = self.where.root / "test.log"
        file.unlink(missing_ok=True)
        return file

    def _checked(self, instance: Instance, there: _Moment) -> tuple[Counts, str]:
        """Look at everything while it runs, then at its pages while it does not."""
        try:
            self.say("Checking")
            with instance.connect() as connection:
                copy = comparing.count(connection)
            if not self.findings:
                self.findings += comparing.differences(there.before, there.after, copy)
            self.findings += [*_pages(instance), *_records(instance, self._apart)]
            dump, faults = dumps.load_unproven(self.target, instance, self.folder)
            self.findings += faults
            instance.stop()
        except BaseException:
            with suppress(BackupFault):
                instance.kill()
            raise
        self.findings += _checksums(instance.cluster)
        return copy, dump


def _pages(instance: Instance) -> Iterator[str]:
    """Tables and indexes by pg_amcheck, the schema by the migrations of this version."""
    found = checks.check(instance)
    if found.corruption:
        yield f"pg_amcheck: {found.corruption}"
    if found.migrations:
        yield f"Migrations of this version are missing in the copy: {', '.join(found.migrations)}."


def _records(instance: Instance, scratch: Place) -> Iterator[str]:
    """What only the application can judge: the keys, the trail, documents by their hashes."""
    with checks.pointed(instance):
        try:
            known.compare_keys()
        except ImproperlyConfigured as fault:
            yield str(fault)
        if settings.BACKUP_VERIFY_TRAIL:
            yield from (f"The audit trail: {text}" for text in import_string(settings.BACKUP_VERIFY_TRAIL)())
        yield from sampling.faults(scratch)


def _checksums(cluster: Path) -> Iterator[str]:
    """Every page by its checksum, in the stopped cluster."""
    try:
        run("pg_checksums", "--check", "--pgdata", str(cluster))
    except BackupFault as fault:
        yield str(fault)


def told(proven: Proven) -> str:
    """What a test showed, in a sentence."""
    proof = proven.proof
    verdict = " ".join(proven.findings) or "nothing is wrong with it."
    return (
        f"{proof.backup} came back in {proof.seconds:.1f} s with {proven.rows} rows in {proven.tables} tables, from "
        f"data {proof.age:.1f} s old: {verdict}"
    )
