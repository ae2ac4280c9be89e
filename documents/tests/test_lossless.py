"""A document comes out as it went in, whatever its shape."""

from django.db import transaction
from hypothesis import HealthCheck, given, settings

from documents.fhir.document_reference import DOCUMENT_REFERENCE, MAPPING
from documents.tests.lossless import documents
from documents.tests.samples import document
from healthrecords.access.request import SYSTEM
from healthrecords.fhir import store
from healthrecords.fhir.mapping import from_fhir, load, to_fhir
from healthrecords.fhir.tests.lossless import same

SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


def content(resource):
    return same({name: value for name, value in resource.items() if name not in ("id", "resourceType")})


def through_database(resource):
    with transaction.atomic():
        change = store.Change(store.draft_of(DOCUMENT_REFERENCE, resource))
        [version] = store.write(DOCUMENT_REFERENCE, [change], SYSTEM)
    return to_fhir(MAPPING, load(MAPPING, DOCUMENT_REFERENCE.model.objects.get(logical_id=version.logical_id)))


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(resource=documents())
def test_any_document_comes_out_of_the_columns_as_it_went_in(resource):
    assert content(to_fhir(MAPPING, from_fhir(MAPPING, resource))) == content(resource)


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(resource=documents())
def test_any_document_comes_out_of_the_database_as_it_went_in(db, resource):
    assert content(through_database(resource)) == content(resource)


def test_what_screens_need_becomes_columns():
    draft = from_fhir(MAPPING, document())
    row, [form] = draft.record, draft.parts["contents"]
    assert (row.type_code, row.type_text, row.patient_id, row.doc_status) == ("34133-9", "CCD", "p1", "final")
    assert (row.period_start, row.period_end, row.description) == (
        "2024-05-10", "2024-05-17", "Discharge after hip surgery",
    )  # fmt: skip
    assert (form.content_type, form.title) == ("application/pdf", "Letter")
