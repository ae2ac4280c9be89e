"""codes: the code tables of immunization, which CDC publishes."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from gzip import BadGzipFile, decompress
from pathlib import Path
from typing import Annotated, Any

import typer
from django.core.management.base import CommandError
from django.utils import timezone
from django_typer.management import command

from healthrecords.cli import Group, Result, counted, error, verb
from immunizations.codes import age, formats, loading, lookup, scanning
from immunizations.codes.catalog import Vaccine
from immunizations.codes.products import Product

Files = Annotated[
    list[Path] | None, typer.Argument(help="Files as CDC publishes them; without one, the tables that ship.")
]
AsOf = Annotated[
    str, typer.Option(help="The day of the files, YYYY-MM-DD; the day on which each was fetched, if left out.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Also a file that is older, or that retires a fifth of its table.")
]


class Command(Group):
    help = "Code tables of CDC: load, status, search, scan."

    @command()
    @verb(changes=True, rehearses=True)
    def load(self, files: Files = None, as_of: AsOf = "", force: Force = False) -> Result:
        """Load newer tables, all or none. A code that is no longer listed is retired, and stays known."""
        try:
            day = date.fromisoformat(as_of) if as_of else None
            changes = loading.load([_read(path, day) for path in files], force) if files else loading.load_shipped()
        except (formats.UnreadableFile, loading.Refused) as fault:
            return error(str(fault))
        except ValueError:
            return error(f"{as_of} is no day; write it as YYYY-MM-DD.")
        return _loaded(changes)

    @command()
    @verb()
    def status(self) -> Result:
        """Show the source, day, size and age of each table; a problem where one is missing or too old."""
        ages = age.ages(timezone.localdate())
        bad = [each for each in ages if each.state != "good"]
        summary = (
            f"{counted(len(bad), 'table')} of {len(ages)} missing or older than {age.OLDEST} days; load newer files."
            if bad
            else f"All {len(ages)} tables are there, none older than {age.OLDEST} days."
        )
        return Result(summary, {"tables": [_aged(each) for each in ages]}, "problem" if bad else "good")

    @command()
    @verb()
    def search(self, text: Annotated[str, typer.Argument(help="Beginnings of words, a CVX or an NDC.")]) -> Result:
        """Find products by trade name or NDC, and vaccines by CVX or words."""
        catalog = lookup.current()
        products = catalog.products_by_ndc(text) or lookup.products_by_name(text)
        vaccines = catalog.vaccines_by_text(text)
        summary = f"{counted(len(products), 'product')}, {counted(len(vaccines), 'vaccine')}."
        data = {"products": [_product(each) for each in products], "vaccines": [_vaccine(each) for each in vaccines]}
        return Result(summary, data, "good" if products or vaccines else "problem")

    @command()
    @verb()
    def scan(self, text: Annotated[str, typer.Argument(help="What the barcode reader types.")]) -> Result:
        """Say what a barcode holds and what follows from it; to try a reader out."""
        found = scanning.scan(text, timezone.localdate())
        name = found.product.name if found.product else found.gtin
        plain = {name: _text(value) for name, value in vars(found).items() if name not in {"product", "problems"}}
        data: dict[str, Any] = {"scan": plain, "product": _product(found.product) if found.product else None}
        data["problems"] = list(found.problems)
        if found.problems:
            return Result(f"{counted(len(found.problems), 'problem')}.", data, "problem")
        return Result(f"{name}, lot {found.lot or '(none)'}.", data)


def _read(path: Path, day: date | None) -> tuple[formats.Listing, date]:
    """Read a file, plain or gzipped; without a day its own is when it was fetched."""
    try:
        content, changed = path.read_bytes(), path.stat().st_mtime
        content = decompress(content) if content.startswith(b"\x1f\x8b") else content
    except (OSError, EOFError, BadGzipFile) as fault:
        raise CommandError(f"{path} cannot be read ({getattr(fault, 'strerror', None) or fault}).") from None
    return formats.read(content, path.name), day or datetime.fromtimestamp(changed, UTC).date()


def _loaded(changes: Sequence[loading.Change]) -> Result:
    told = [change for change in changes if not change.is_nothing]
    counts = [sum(len(getattr(change, kind)) for change in changes) for kind in ("added", "changed", "retired")]
    summary = f"{counts[0]} rows added, {counts[1]} changed, {counts[2]} retired in {counted(len(told), 'table')}."
    return Result(
        summary if told else "Nothing new: the tables are as these files say, or newer.",
        {"tables": [_change(change) for change in changes], "rows": [row for c in changes for row in _keys(c)]},
    )


def _change(change: loading.Change) -> dict[str, Any]:
    return {
        "table": change.listing.table.value,
        "source": change.listing.source,
        "as_of": _text(change.as_of),
        "rows": len(change.listing.rows),
        "added": len(change.added),
        "changed": len(change.changed),
        "retired": len(change.retired),
    }


def _keys(change: loading.Change) -> list[dict[str, str]]:
    """Name the rows of an update; those of a first load are all of them."""
    if change.before is None:
        return []
    kinds = {"added": change.added, "changed": change.changed, "retired": change.retired}
    return [
        {"table": change.listing.table.value, "change": kind, "key": key}
        for kind, keys in kinds.items()
        for key in keys
    ]


def _aged(each: age.TableAge) -> dict[str, Any]:
    release = each.release
    return {
        "table": each.table.value,
        "title": each.table.label,
        "source": release.source if release else None,
        "as_of": _text(release.as_of) if release else None,
        "rows": release.rows if release else 0,
        "retired": each.retired,
        "age_days": each.days,
        "state": each.state,
    }


def _product(product: Product) -> dict[str, Any]:
    return {
        "name": product.name,
        "cvx": list(product.cvx_choices),
        "mvx": product.mvx,
        "ndc": product.ndc,
        "unit": product.unit,
        "dose_ml": _text(product.dose),
        "ends": _text(product.ends),
        "status": product.status,
    }


def _vaccine(vaccine: Vaccine) -> dict[str, Any]:
    groups = [group.name for group in vaccine.groups]
    return {"cvx": vaccine.cvx, "short": vaccine.short, "status": vaccine.status, "groups": groups}


def _text(value: Any) -> Any:
    """Days and decimals as text: a table would show a day with its midnight."""
    return str(value) if isinstance(value, date | Decimal) else value
