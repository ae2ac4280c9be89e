"""immunizations: doses that were recorded twice."""

from dataclasses import replace
from typing import Annotated, Any

import typer
from django.core.management.base import CommandError
from django_typer.management import command

from healthrecords.cli import Group, Result, counted, progress, verb
from immunizations.duplicates.review import Case, totals, waiting
from immunizations.duplicates.search import patients, search

# Whoever has the host has the database: a command reads what it lists, with a row for each patient.
_READS = ({"Immunization": "rs", "Patient": "rs"},)


class Command(Group):
    help = "Immunizations: find doses that were recorded twice."

    @command()
    @verb(changes=True, rehearses=True)
    def duplicates(
        self,
        patient: Annotated[str, typer.Option(help="Logical id of the one patient to look at.")] = "",
        limit: Annotated[int, typer.Option(help="Show at most so many waiting pairs.")] = 20,
    ) -> Result:
        """Look for duplicate doses, of all patients or of one; a problem where pairs wait for a person."""
        if limit < 0:
            raise CommandError("The limit is a number of pairs, 0 or more.")
        ids = patients(patient)
        with progress("Looking for duplicate doses", len(ids)) as advance:
            changes = search(ids, advance)
        asked = replace(self.request, actor=replace(self.request.actor, permissions=_READS), purpose="HOPERAT")
        cases = waiting(asked, patient, limit)
        pairs = totals(asked, patient)
        summary = (
            f"{counted(len(ids), 'patient')} looked at: {pairs['certain']} certain, {pairs['review']} to review, "
            f"{pairs['not-duplicate']} decided to be two doses. "
            f"Pairs: {changes.added} new, {changes.altered} changed, {changes.gone} gone."
        )
        data = {"pairs": pairs, "changes": vars(changes), "waiting": [_row(case) for case in cases]}
        return Result(summary, data, "problem" if pairs["review"] else "good")


def _row(case: Case) -> dict[str, Any]:
    return {
        "pair": str(case.pair.pk),
        "patient": case.pair.patient_id,
        "reason": case.pair.reason,
        "doses": [dose.logical_id for dose in case.doses],
        "given": [dose.occurred for dose in case.doses],
        "cvx": [dose.cvx for dose in case.doses],
        "counts": case.pair.counts_id,
    }
