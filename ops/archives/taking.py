"""Takes an archive: packed, sealed, stored, its entry written last."""

from dataclasses import dataclass
from datetime import UTC, datetime

from healthrecords import __version__
from healthrecords.cli import counted
from ops.backup.catalogue import written
from ops.backup.faults import BackupFault
from ops.backup.place import place
from ops.backup.repository import Repository, repository
from ops.backup.sealing import key_id

from .contents import Contents, contents
from .entries import FOLDER, Archive, Kind, add, archives, remove, unfinished
from .packing import digest_of, pack


@dataclass(frozen=True)
class Taken:
    """What was taken, or would be; `same`: the newest archive holds just that, so that it was left at it."""

    kind: Kind
    files: int
    about: dict[str, str]
    entry: Archive | None = None
    same: Archive | None = None


def planned(kind: Kind) -> Taken:
    """What `take` would do, and change nothing; raise BackupFault where it could not."""
    target = repository()
    target.check()
    held, same = _decided(kind, target)
    return Taken(kind, held.files, held.about, same=same)


def take(kind: Kind) -> Taken:
    """Take an archive; raise BackupFault, with nothing left behind. One of the application is taken once."""
    target = repository()
    with place().locked(f"{kind}-archive"):
        target.check()
        for left in unfinished(target, kind):
            remove(target, left)
        held, same = _decided(kind, target)
        if same or not held.files:
            return Taken(kind, held.files, held.about, same=same)
        return Taken(kind, held.files, held.about, entry=_store(kind, held, target))


def _decided(kind: Kind, target: Repository) -> tuple[Contents, Archive | None]:
    known = archives(target).of(kind)
    held = contents(kind, known[-1] if known else None)
    if kind != "application":
        return held, None
    (group,) = held.groups
    digest = digest_of(group.members)
    return held, next((each for each in known if each.digests == {group.role: digest}), None)


def _store(kind: Kind, held: Contents, target: Repository) -> Archive:
    made = datetime.now(UTC)
    id_ = f"{kind}-{made:%Y%m%dT%H%M%S%f}"[:-3]
    try:
        packed = {group.role: pack(group, f"{FOLDER}{id_}/", target) for group in held.groups}
        entry = Archive(
            id=id_,
            kind=kind,
            made=written(made),
            product=__version__,
            files=held.files,
            parts=tuple(each.part for each in packed.values()),
            digests={role: each.digest for role, each in packed.items()},
            keys={group.role: [key_id(each) for each in group.to] for group in held.groups},
            about=held.about,
        )
        add(target, entry)
    except BackupFault:
        remove(target, id_)
        raise
    return entry


def told(done: Taken) -> str:
    """What was taken, in a sentence."""
    commit = f" of commit {done.about['commit'][:12]}" if done.about.get("commit") else ""
    if done.same:
        return f"{done.same.id} holds this application already{commit}; nothing was stored."
    if done.entry:
        size = f"{done.entry.unpacked / 1e6:.1f} MB, {done.entry.size / 1e6:.1f} MB sealed"
        return f"{done.entry.id}{commit} is complete: {counted(done.files, 'file')}, {size}."
    return "No log file has changed since the last archive; nothing was stored."


def foretold(plan: Taken) -> str:
    """What would be taken, in a sentence."""
    return told(plan) if plan.same else f"An archive of {counted(plan.files, 'file')} would be stored."
