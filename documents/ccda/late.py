"""Fill documents from the header of a C-CDA that could not be read when they were filed, since it waited for a scan."""

import logging
from typing import Any

from documents.models import Content, DocumentReference
from healthrecords import trail
from healthrecords.access.request import SYSTEM, AccessRequest, Disclosure
from healthrecords.fhir import store
from healthrecords.fhir.outcome import FHIRError
from healthrecords.fhir.resource import resource_of
from healthrecords.jsontext import parse_json

from . import filling

log = logging.getLogger(__name__)


def fill_documents(content: Content) -> None:
    """Make the next version of each document that points to `content` and that its header adds to.

    Runs in the caller's transaction. A document that cannot be written stays as it is; the log tells.
    """
    if content.true_type not in filling.XML:
        return
    named = content.uses.values("document")
    for document in DocumentReference.objects.live().filter(logical_id__in=named).select_for_update():
        try:
            _fill(document)
        except FHIRError as fault:
            log.error("%s was not filled from its C-CDA: %s", document.logical_id, fault.text)


def _fill(document: DocumentReference) -> None:
    current: Any = document.current
    body = parse_json(current.content.encode())
    full = filling.completed(body, SYSTEM)
    if full == body:
        return
    resource = resource_of(DocumentReference)
    change = store.Change(store.draft_of(resource, full, document.logical_id, SYSTEM), document)
    [version] = store.write(resource, [change], SYSTEM)
    shown = Disclosure(resource.name, [(version.logical_id, version.version, version.patients)])
    trail.record(
        AccessRequest(SYSTEM, "update", resource.name), trail.disclosed("update", [shown], "header of the C-CDA")
    )
