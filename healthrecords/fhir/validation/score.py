"""How well the validator agrees with labelled cases: a confusion table for each resource type.

Sources: a file of one case a line (`.jsonl`, `.ndjson`, either also `.gz`) with `resource`, `expect` (valid or invalid)
and, for invalid ones, `path`, the FHIRPath of the fault; a file of one valid resource a line; a folder of valid
resources as `.json`; a folder with an `index.json` of cases (`file`, `label` ok or core, as the outcomes of HL7's own
validator are kept; other labels need a terminology server or foreign profiles and are left out).
"""

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from healthrecords.fhir.outcome import Issue
from healthrecords.jsontext import BadJSON, dump_json, parse_json

from . import validate

JSON = dict[str, Any]

_LABELS = {"ok": True, "core": False}


class BadSource(ValueError):
    """A file or folder that holds no cases; the message says why."""


@dataclass(frozen=True)
class Case:
    """A resource, whether it is valid, and where the fault of an invalid one is (unknown: None)."""

    name: str
    type: str
    text: bytes | str
    valid: bool
    path: str | None = None


@dataclass
class Row:
    """The counts of one resource type."""

    type: str
    valid: int = 0
    passed: int = 0
    invalid: int = 0
    refused: int = 0
    placed: int = 0
    located: int = 0

    def add(self, case: Case, errors: list[Issue]) -> None:
        """Count one case."""
        if case.valid:
            self.valid += 1
            self.passed += not errors
            return
        self.invalid += 1
        self.refused += bool(errors)
        if case.path is not None:
            self.placed += 1
            self.located += any(each.path == case.path for each in errors)

    def plus(self, other: "Row") -> None:
        """Add another row's counts."""
        for name in ("valid", "passed", "invalid", "refused", "placed", "located"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass
class Score:
    """The rows by resource type, their sum, and a line for each case that was judged wrongly."""

    rows: list[Row]
    total: Row
    wrong: list[str]


def score(cases: Iterable[Case]) -> Score:
    """Validate each case and count."""
    rows: dict[str, Row] = {}
    total, wrong = Row("all"), []
    for case in cases:
        errors = _errors(case)
        rows.setdefault(case.type, Row(case.type)).add(case, errors)
        if case.valid == bool(errors):
            told = f": {errors[0].path} {errors[0].text}" if errors else ""
            wrong.append(f"{case.name} is {'valid' if case.valid else 'invalid'}{told}")
    for row in rows.values():
        total.plus(row)
    return Score([rows[name] for name in sorted(rows)], total, wrong)


def _errors(case: Case) -> list[Issue]:
    try:
        body = parse_json(case.text)
    except BadJSON as fault:
        return [Issue("structure", str(fault))]
    return [each for each in validate(body) if each.severity in ("error", "fatal")]


def cases_in(source: Path, known_invalid: frozenset[str] = frozenset()) -> Iterator[Case]:
    """The cases of a file or folder; BadSource when it is neither kind. `known_invalid` names files of a folder."""
    if source.is_dir():
        found = source / "index.json"
        yield from _indexed(source, found) if found.exists() else _folder(source, known_invalid)
    elif source.name.endswith((".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")):
        yield from _lines(source)
    else:
        raise BadSource(
            f"{source.name} is no folder and no file of one case a line (.jsonl, .ndjson, with or without .gz)."
        )


def _folder(source: Path, known_invalid: frozenset[str]) -> Iterator[Case]:
    for path in sorted(source.glob("*.json")):
        text = path.read_bytes()
        yield Case(path.stem, _type_of(text, "not JSON"), text, path.stem not in known_invalid)


def _indexed(source: Path, index: Path) -> Iterator[Case]:
    for row in parse_json(index.read_bytes()):
        if row.get("label") in _LABELS:
            text = (source / row["file"]).read_bytes()
            yield Case(row["name"], row.get("type") or "not JSON", text, _LABELS[row["label"]])


def _lines(source: Path) -> Iterator[Case]:
    with gzip.open(source) if source.suffix == ".gz" else source.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _case(line, f"{source.name}:{number}")


def _case(line: bytes, name: str) -> Case:
    row = parse_json(line)
    if not isinstance(row, dict):
        raise BadSource(f"{name} is no JSON object.")
    if "expect" not in row:
        return Case(name, str(row.get("resourceType")), line, True)
    kind = str(row.get("type") or row["resource"].get("resourceType"))
    return Case(str(row.get("id", name)), kind, dump_json(row["resource"]), row["expect"] == "valid", row.get("path"))


def _type_of(text: bytes, otherwise: str) -> str:
    try:
        body = parse_json(text)
    except BadJSON:
        return otherwise
    return str(body.get("resourceType")) if isinstance(body, dict) else otherwise


_START, _END = "<!-- score: made by `manage.py fhir score --markdown` -->", "<!-- end of score -->"


def as_markdown(result: Score) -> str:
    """The table for the documentation."""
    head = "| type | valid | passed | invalid | refused | fault located |\n| --- | --: | --: | --: | --: | --: |\n"
    return head + "".join(
        f"| {row.type} | {row.valid} | {_share(row.passed, row.valid)} | {row.invalid} |"
        f" {_share(row.refused, row.invalid)} | {_share(row.located, row.placed)} |\n"
        for row in (*result.rows, result.total)
    )


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.1f} %)" if whole else "–"


def write_into(path: Path, table: str) -> None:
    """Put the table between the two marks of a document; BadSource when it has none."""
    before, found, rest = path.read_text().partition(_START)
    _, ended, after = rest.partition(_END)
    if not found or not ended:
        raise BadSource(f"{path.name} lacks the marks '{_START}' and '{_END}'.")
    path.write_text(f"{before}{_START}\n\n{table}\n{_END}{after}")
