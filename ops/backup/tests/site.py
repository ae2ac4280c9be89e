"""A site under test: what operators do with a cluster, its repository and its restored copies."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

from ops.backup import log
from ops.backup.catalogue import lsn
from ops.backup.place import place
from ops.backup.receiver import Receiver
from ops.backup.repository import repository
from ops.backup.taking import take
from ops.restore import plan as plans
from ops.restore.instance import Instance
from ops.restore.restoring import restore
from ops.restore.target import target


class Site:
    """A cluster whose table `marker` holds a row for each thing that happened, and what operators do with it."""

    def __init__(self, cluster):
        self.cluster, self.restores = cluster, 0
        cluster.run(
            "CREATE TABLE IF NOT EXISTS marker (n bigint PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())"
        )
        cluster.run("CREATE TABLE IF NOT EXISTS filler (n bigint PRIMARY KEY, text text)")

    def mark(self, number):
        """Commit a row; return the time just after it by the server's clock."""
        self.cluster.run("INSERT INTO marker (n) VALUES (%s)", number)
        return self.cluster.run("SELECT clock_timestamp()")[0][0]

    def marks(self):
        return [row[0] for row in self.cluster.run("SELECT n FROM marker ORDER BY n")]

    @staticmethod
    def back_up(type_="full"):
        return take(type_).entry

    @contextmanager
    def receiving(self):
        """Receive the log while the block runs; the yielded function waits until all that was committed is here."""
        said: list[str] = []
        receiver = Receiver(said.append, open_every=0)
        self.receiver, self.said = receiver, said

        def caught_up():
            (now,) = self.cluster.run("SELECT pg_current_wal_flush_lsn()::text")[0]
            for _ in range(200):
                receiver.turn()
                found = log.log_of(receiver.target, receiver.system, receiver.where.spool).horizon
                if found and lsn(found.lsn) >= lsn(now):
                    return
                time.sleep(0.05)
            raise AssertionError(said)

        try:
            yield caught_up
        finally:
            receiver.end()

    @contextmanager
    def kept_receiving(self):
        """Receive the log in the background, as `backup receive` does."""
        stop = Event()
        receiver = Receiver(lambda _: None, open_every=0)
        with ThreadPoolExecutor(1) as pool:
            ended = pool.submit(receiver.run, lambda seconds: stop.wait(seconds / 10))
            try:
                yield
            finally:
                stop.set()
                ended.result()

    def restore(self, backup="latest", folder=None, **wanted):
        """Restore into a new directory; return what is done."""
        self.restores += 1
        return self.carry_out(self.plan(folder or self.cluster.folder / f"restored-{self.restores}", backup, **wanted))

    @staticmethod
    def plan(folder, backup="latest", **wanted):
        return plans.make(plans.Wanted(backup, **wanted), target(str(folder)), repository(), place())

    @staticmethod
    def carry_out(plan):
        return restore(plan, repository(), place(), lambda _: None, lambda _: None)

    def read(self, folder, statement="SELECT n FROM marker ORDER BY n"):
        """Ask a restored cluster."""
        with self.opened(folder) as connection:
            return [row[0] for row in connection.execute(statement).fetchall()]

    @contextmanager
    def opened(self, folder):
        instance = Instance(folder, self.cluster.folder / "read.log")
        instance.start()
        try:
            instance.wait()
            with instance.connect() as connection:
                yield connection
        finally:
            instance.kill()


@dataclass
class Operated:
    """How a command ended."""

    code: int
    out: str
    err: str

    def refuses(self, sentence):
        """Whether it ended with 2 and the sentence on stderr, and without a traceback."""
        assert self.code == 2, (self.code, self.out, self.err)
        assert sentence in self.err, self.err
        assert "Traceback" not in self.err
        return True
