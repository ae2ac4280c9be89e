"""What the page of a document says."""

from typing import Any

from documents import holding
from documents.admin import labels, words
from documents.admin.preview import Preview
from documents.models import DocumentReference, ScanState
from healthrecords.console import lines
from healthrecords.console.lines import Line, Section
from patients.models import Patient


def facts(
    document: DocumentReference, filed: words.Filed, patient: Patient | None, previews: list[Preview]
) -> dict[str, Any]:
    """What the template shows of a document."""
    return {
        "title": words.title_of(document),
        "subtitle": words.dated(document),
        "flags": filed.standing if previews else filed.flags,  # a preview says by itself why it is none
        "sections": lines.filled(_sections(document, filed)),
        "keeping": keeping(holding.kept(document)),
        "previews": previews,
        "warnings": [text for each in previews if (text := _warning(each, patient))],
        "is_elsewhere": not filed.contents,
        "has_more": lines.has_more(document),
    }


def keeping(kept: holding.Kept) -> list[Line]:
    """How long the content stays, and why."""
    lasts = Line("Retained until", f"{kept.until:%Y-%m-%d}")
    if kept.hold is None:
        return [lasts]
    since = f"since {kept.hold.decided_at:%Y-%m-%d}, by {kept.hold.author}"
    return [Line("Legal hold", kept.hold.reason, since), lasts]


def _warning(preview: Preview, patient: Patient | None) -> str:
    """That a document names somebody else than it is filed under."""
    subject = preview.ccda.get("subject")
    if patient is None or subject is None or not subject.clearly_differs(patient):
        return ""
    return f"This document names another patient: {differing(subject)}. Check that it is filed in the right record."


def differing(subject: Any) -> str:
    """Whom a document names, in words."""
    return f"{subject.name or 'no name'}, born {subject.birth_date or 'on an unknown date'}"


def _sections(document: DocumentReference, filed: words.Filed) -> list[Section]:
    period = " to ".join(filter(None, [document.period_start[:10], document.period_end[:10]]))
    return [
        ("Document", [
            Line("Type", words.kind_of(document)),
            Line("Title", document.description),
            Line("Date", words.dated(document)),
            Line("Status", words.status_of(document), labels.DOC_STATUS.get(document.doc_status, "")),
            Line("Author", words.author_of(document)),
            Line("Signed by", ", ".join(words.names(document, "authenticator"))),
            Line("Kept by", ", ".join(words.names(document, "custodian"))),
            Line("Care", period),
        ]),
        ("Numbers", [lines.identifier(each) for each in words.identifiers_of(document)]),
        ("Related documents", [_relation(each) for each in document.relations.all()]),
        ("Content", [_content(each) for each in filed.contents] + _elsewhere(document)),
    ]  # fmt: skip


def _relation(each: Any) -> Line:
    return Line(labels.RELATION.get(each.code, "Related to"), each.display or each.target or "A document elsewhere")


def _content(each: Any) -> Line:
    filed = f"filed {each.created_at:%Y-%m-%d %H:%M} by {each.author}" if each.author else ""
    scan = "no virus found" if each.scan_state == ScanState.CLEAN else ""  # else a flag or the preview tells
    told = "; ".join(filter(None, [filed, scan]))
    return Line(labels.KIND.get(each.true_type, each.true_type), words.size_in_words(each.size), told)


def _elsewhere(document: DocumentReference) -> list[Line]:
    return [Line("Elsewhere", each.url) for each in document.contents.all() if each.url and not each.binary]
