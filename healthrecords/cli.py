"""The common shell of every command: a readable table or one JSON object, and an exit code that scripts can trust.

A verb returns a `Result`; `@verb` prints it and ends with 0 (good), 1 (found a problem) or 2 (could not run, or bad
input: one sentence on stderr, never a traceback). With `--json`, stdout is one object with `ok`, `outcome`, `summary`
and the verb's data. A verb that changes something leaves an operations record in the trail.

    class Command(Group):
        @command()
        @verb(changes=True)
        def revoke(self, name: str) -> Result: ...
"""

import inspect
import logging
import os
import pwd
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from time import monotonic
from typing import Annotated, Any, Literal, NoReturn

import orjson
import typer
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.base import CommandError, SystemCheckError
from django.db import OperationalError, ProgrammingError, transaction
from django.utils.module_loading import import_string
from django_typer.management import TyperCommand, initialize
from rich.console import Console
from rich.progress import DownloadColumn, Progress, TransferSpeedColumn
from rich.table import Table
from rich.text import Text
from typer._click.exceptions import UsageError
from uuid6 import uuid7

from healthrecords import trail
from healthrecords.access import acting
from healthrecords.access.request import AccessRequest, Actor
from healthrecords.crypto import known
from healthrecords.redaction import scrub

logger = logging.getLogger(__name__)

Outcome = Literal["good", "problem", "error"]
EXIT_CODES: dict[Outcome, int] = {"good": 0, "problem": 1, "error": 2}
PIPE_WIDTH = 160  # columns of a table whose reader is no terminal
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen and change nothing.")]


@dataclass
class Result:
    """What a verb found or did. `summary` is a sentence without secrets: it is kept in the trail.

    `data` holds what `--json` adds under named keys; the table shows it, too. Where `alone` names a key, only that
    value goes to stdout (a token, a link), and the summary to stderr. `columns` narrows the table under a key.
    """

    summary: str
    data: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome = "good"
    alone: str = ""
    columns: dict[str, Sequence[str]] = field(default_factory=dict)
    recordable: bool = True

    @property
    def ok(self) -> bool:
        """Whether there was neither a problem nor an error."""
        return self.outcome == "good"

    def as_json(self) -> str:
        """The object that `--json` prints; times are UTC in ISO 8601."""
        whole = {"ok": self.ok, "outcome": self.outcome, "summary": self.summary, **self.data}
        return orjson.dumps(whole, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode()


def error(sentence: str, **options: Any) -> Result:
    """A result that says why a verb could not run."""
    return Result(sentence, outcome="error", **options)


class Group(TyperCommand):
    """Base of every command group. Bad options end with 2 and one line; a group of one verb keeps its verb."""

    request: AccessRequest
    opens_sealed = True  # foreign keys end its verbs; a group that touches no sealed value, or tells of keys, says no

    @initialize()
    def init(self) -> None:
        """Keep the verbs of a group verbs, even where there is only one."""

    def execute(self, *args: Any, **options: Any) -> Any:
        logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # the verb says it in one sentence
        try:
            return super().execute(*args, **options)
        except Exception as fault:
            told = isinstance(fault, CommandError) and not isinstance(fault, SystemCheckError)
            if told or "--traceback" in sys.argv:
                raise
            self._refuse(_explain(fault).summary)

    def __exit__(self, kind: Any, fault: Any, trace: Any) -> Any:
        if isinstance(fault, UsageError):
            super().__exit__(None, None, None)
            self._refuse(f"{_first_line(fault.format_message())}; see --help.")
        return super().__exit__(kind, fault, trace)

    def _refuse(self, sentence: str) -> NoReturn:
        """End before a verb began: nothing is known but that it can not run."""
        if not getattr(self, "_called_from_command_line", False):
            raise CommandError(sentence, returncode=2)
        deliver(error(sentence), "--json" in sys.argv, sys.stdout, sys.stderr)
        sys.exit(2)


def verb(changes: bool = False, rehearses: bool = False) -> Callable[[Callable[..., Result]], Callable[..., None]]:
    """Turn a function that returns a Result into a verb with `--json`.

    `changes`: each run leaves an operations record. `rehearses`: adds `--dry-run`, which runs the same code in a
    transaction that is rolled back (for verbs that touch nothing but the database). A verb that touches more takes
    `dry_run` itself, and carries out the plan that it shows.
    """

    def decorate(function: Callable[..., Result]) -> Callable[..., None]:
        plans = "dry_run" in inspect.signature(function).parameters
        name = function.__name__.strip("_").replace("_", "-")

        @wraps(function)
        def run(self: Group, *args: Any, as_json: bool = False, dry_run: bool = False, **options: Any) -> None:
            started, self.request = monotonic(), host_request(f"{self._name} {name}")
            acting.begin(self.request)
            if plans:
                options["dry_run"] = dry_run
            result = _attempt(
                lambda: _rehearsed(dry_run and rehearses, lambda: function(self, *args, **options)), self.opens_sealed
            )
            if changes and not dry_run and result.recordable:
                _record(self.request, result, monotonic() - started)
            deliver(result, as_json, self.stdout, self.stderr)
            if not result.ok:
                raise typer.Exit(EXIT_CODES[result.outcome])

        _add_options(run, as_json=Json, **({"dry_run": DryRun} if rehearses else {}))
        return run

    return decorate


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 token`, `2 tokens`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def host_request(route: str) -> AccessRequest:
    """Who asks when somebody runs a command on the host: the account of the operating system."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = f"uid {os.getuid()}"
    actor = Actor("host", str(os.getuid()), account, ("host",), (), ("HSYSADMIN",))
    return AccessRequest(actor, "command", "", purpose="HSYSADMIN", request_id=str(uuid7()), route=route)


@contextmanager
def progress(
    description: str, total: float | None = None, *, of_bytes: bool = False
) -> Iterator[Callable[[float], None]]:
    """A progress bar on stderr with the time left, for bytes also with their rate; silent where that is no terminal.

    Yields a function that advances it.
    """
    console = Console(stderr=True)
    rate = (DownloadColumn(), TransferSpeedColumn()) if of_bytes else ()
    columns = (*Progress.get_default_columns(), *rate)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(description, total=total)
        yield lambda step: bar.advance(task, step)


def deliver(result: Result, as_json: bool, stdout: Any, stderr: Any) -> None:
    """Print a result: data to stdout, sentences about failure to stderr."""
    if result.outcome == "error" or (result.alone and not as_json):
        stderr.write(f"{_printable(result.summary)}\n")
    if as_json:
        stdout.write(f"{result.as_json()}\n")
    elif result.alone:
        if result.data[result.alone]:
            stdout.write(f"{result.data[result.alone]}\n")
    elif result.outcome != "error":
        _print_readable(result, stdout)


def _attempt(function: Callable[[], Result], opens_sealed: bool) -> Result:
    """Run a verb; what stops it becomes one sentence, or with --traceback stays what it is."""
    try:
        if opens_sealed:
            known.compare_keys()
        return function()
    except Exception as fault:
        if "--traceback" in sys.argv:
            raise
        return _explain(fault)


def _explain(fault: Exception) -> Result:
    why = _first_line(scrub(str(fault)))
    match fault:
        case ValidationError():
            return error(" ".join(fault.messages))
        case SystemCheckError():
            return error(" ".join(str(fault).split()))
        case CommandError() | ImproperlyConfigured():
            return error(str(fault))
        case OperationalError():
            sentence = f"The database does not answer ({why}); start the server, or check HEALTHCARE_DATABASE_URL."
            return error(sentence, recordable=False)
        case ProgrammingError():
            return error(f"The database is not as this version expects ({why}); migrate it.", recordable=False)
    return error(f"This is a fault of the program ({type(fault).__name__}: {why}); see --traceback.")


def _rehearsed(dry_run: bool, function: Callable[[], Result]) -> Result:
    """Run the verb; a dry run rolls everything back and keeps the secret that would have been made to itself."""
    if not dry_run:
        return function()
    with transaction.atomic():
        done = function()
        transaction.set_rollback(True)
    kept = {key: value for key, value in done.data.items() if key != done.alone}
    summary = f"Dry run, nothing was changed: {done.summary}"
    return Result(summary, {"dry_run": True, **kept}, done.outcome, columns=done.columns)


def _record(request: AccessRequest, result: Result, seconds: float) -> None:
    """Leave the operations record. The work is done by now, so that a failure here is told, not raised."""
    outcome = "success" if result.ok else "failure"
    detail = f"{request.route}: {result.outcome} in {seconds:.2f} s. {result.summary}"
    try:
        with transaction.atomic():
            trail.record(request, [trail.Fact("command", outcome, detail=detail)])
    except Exception as fault:
        logger.error("The operations record could not be written: %s", scrub(str(fault)))
    else:
        import_string(settings.OPERATIONS_LOG)(
            request.actor.name, request.route, result.outcome, result.summary, seconds
        )


def _add_options(function: Callable[..., None], **options: Any) -> None:
    """Show options of the shell in the signature from which the command line is made."""
    signature = inspect.signature(function)
    added = [
        inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=a) for n, a in options.items()
    ]
    function.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *added])  # type: ignore[attr-defined]
    function.__annotations__ = {**function.__annotations__, **options}


def _print_readable(result: Result, stdout: Any) -> None:
    out = getattr(stdout, "_out", stdout)
    console = Console(file=out, width=None if out.isatty() else PIPE_WIDTH, highlight=False, emoji=False)
    for name, value in result.data.items():
        if table := _table(name, value, result.columns.get(name)):
            console.print(table)
    console.print(Text(_printable(result.summary)))


def _table(name: str, value: Any, columns: Sequence[str] | None = None) -> Table | None:
    """A list of rows or a mapping as a table; anything else is told by the summary."""
    if not value or not isinstance(value, list | dict):
        return None
    rows = value if isinstance(value, list) else [{name: key, "": each} for key, each in value.items()]
    if not isinstance(rows[0], dict):
        rows = [{name: each} for each in rows]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns or rows[0]:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row[column])) for column in columns or row))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if hasattr(value, "strftime"):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "" if value is None else _printable(str(value))


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


def _printable(text: str) -> str:
    """Text without control characters, which could drive the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0].rstrip(".")
