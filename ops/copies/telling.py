"""What a copy of the documents did, and what it found, in sentences and numbers."""

from typing import Any

from healthrecords.cli import Outcome, counted

from .copying import Copied, Plan

_SHOWN = 20  # names in a record


def foretold(chosen: Plan) -> str:
    """What would be copied."""
    return (
        f"{counted(len(chosen.new), 'object')} of {chosen.size / 1e6:.1f} MB would be copied; "
        f"{chosen.known} are in the copy.{_changed(chosen.changed)}"
    )


def told(done: Copied) -> str:
    """What was copied, and each thing that an operator should mind."""
    kinds = {"copy": "", "compare": ", compared by checksum", "read": ", compared by checksum and with the records"}
    first = (
        f"{counted(len(done.plan.new) - len(done.failed), 'object')} of {done.plan.size / 1e6:.1f} MB copied"
        f"{kinds[done.kind]}, in {done.seconds:.1f} s."
    )
    return " ".join([first, *_findings(done)])


def outcome(done: Copied) -> Outcome:
    """Good, or a problem."""
    return "good" if done.good else "problem"


def data(done: Copied) -> dict[str, Any]:
    """Numbers, and the first names of each finding."""
    found: dict[str, Any] = {"kind": done.kind, "copied": len(done.plan.new), "bytes": done.plan.size}
    if done.compared:
        found["objects"] = done.compared.objects
    named = {"changed": done.plan.changed, "failed": tuple(done.failed), "wrong": tuple(done.wrong)}
    if done.compared:
        for name in ("different", "gone", "lost", "without_row", "deleted", "expired"):
            named[name] = getattr(done.compared, name)
    return found | {name: names[:_SHOWN] for name, names in named.items() if names}


def _findings(done: Copied) -> list[str]:
    found = [_changed(done.plan.changed).strip()]
    if done.failed:
        name, why = next(iter(done.failed.items()))
        found.append(f"{counted(len(done.failed), 'object')} could not be copied, such as {name}: {why}.")
    if done.wrong:
        found.append(
            f"{counted(len(done.wrong), 'object')} of the copy is damaged, such as {next(iter(done.wrong))}; move it "
            "away there, and the next run copies it again."
        )
    return [text for text in [*found, *(_compared(done))] if text]


def _compared(done: Copied) -> list[str]:
    if not (seen := done.compared):
        return []
    said = {
        "different": "in the store and in the copy: one of them is damaged; `documents check` says whether it is the "
        "store, and `restore documents` brings those back",
        "gone": "named by a record and missing in the store; `restore documents` brings it back from the copy",
        "lost": "named by a record and neither in the store nor in the copy",
        "without_row": "without record; `documents check` names them",
        "deleted": "dated as deleted",
        "expired": "deleted long enough ago and removed for good",
    }
    words = {"different": "differs "}
    return [
        f"{counted(len(names), 'object')} {words.get(name, '')}{text}."
        for name, text in said.items()
        if (names := getattr(seen, name))
    ]


def _changed(names: tuple[str, ...]) -> str:
    if not names:
        return ""
    return (
        f" {counted(len(names), 'object')} in the store has another size than its copy, such as {names[0]}; the copy "
        "was kept: stored objects never change."
    )
