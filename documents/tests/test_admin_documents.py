"""Documents on the screens: who sees which, what leaves with its row, and filing new ones."""

import pytest
from django.urls import reverse

from documents.models import Content, DocumentReference
from documents.tests.conftest import body
from documents.tests.samples import PDF, document, inline
from documents.tests.scanners import nowhere
from documents.tests.test_ccda import CCD, ISABELLA
from patients.models import Patient

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"


def at(screen, *args):
    return reverse(f"admin:documents_documentreference_{screen}", args=args)


@pytest.fixture
def maria(integrator):
    return Patient.objects.get(logical_id=integrator.create()["id"])


@pytest.fixture
def file(integrator, maria):
    """File content for Maria by the API; answer the document and the key of its content."""

    def make(content, kind="application/pdf", patient=maria, **changes):
        sent = document(patient.logical_id, inline(content, contentType=kind), **changes)
        made = DocumentReference.objects.get(logical_id=integrator.create(sent)["id"])
        return made, made.contents.get().binary

    return make


@pytest.fixture
def nora(signed_in):
    return signed_in("clinician")


def test_the_patients_page_lists_the_documents_and_notes_them(nora, maria, file, trail):
    made, _ = file(PDF)
    page = nora.get(reverse("admin:patients_patient_page", args=[maria.pk])).content.decode()
    for words in (
        "Discharge after hip surgery",
        "CCD",
        "2024-05-17",
        "Harbour",
        at("page", made.pk),
    ):
        assert words in page
    assert [f"DocumentReference/{made.logical_id}"] in [row.resources for row in trail(action="read")]


def test_the_list_is_narrowed_by_patient_type_date_and_status(nora, integrator, file, maria):
    other = Patient.objects.get(logical_id=integrator.create(ISABELLA)["id"])
    file(PDF, description="Of Maria", date="2023-01-02T00:00:00Z")
    file(PDF, description="Of Isabella", patient=other, status="superseded", date="2024-05-17T00:00:00Z")
    coded = {"coding": [{"system": "http://loinc.org", "code": "18842-5"}]}
    file(PDF, description="Typed", patient=other, type=coded, date="2025-01-02T00:00:00Z")

    def shown(query):
        return {row.description for row in nora.get(f"{at('changelist')}?{query}").context["cl"].result_list}

    assert shown("") == {"Of Maria", "Of Isabella", "Typed"}
    assert shown("patient=jansen") == {"Of Maria"}
    assert shown("type=18842-5") == {"Typed"}
    assert shown("status=superseded") == {"Of Isabella"}
    assert shown("date=2024-05") == {"Of Isabella"}
    assert shown("date=nonsense") == set()


@pytest.mark.parametrize(
    ("content", "way"),
    [(PDF, "frame"), (PNG, "picture"), (b"plain words", "text"), (b'{"a": 1}', "text"), (CCD, "ccda"), (SVG, "none"),
     (HTML, "none"), (b"<?xml version='1.0'?><a><b/></a>", "text"), (b"PK\x05\x06" + bytes(18), "none")],
)  # fmt: skip
def test_what_is_shown_follows_the_bytes_not_the_claim(nora, file, content, way):
    made, key = file(content, kind="application/pdf")
    answer = nora.get(at("page", made.pk))
    [preview] = answer.context["previews"]
    assert (preview.way, preview.fault) == (way, "")
    assert nora.get(at("show", made.pk, key)).status_code == (200 if way in ("frame", "picture") else 404)


def test_a_page_shows_no_markup_of_a_text(nora, file):
    made, _ = file(b"hello <script>alert(1)</script>"[6:] + b" tail", kind="text/plain")
    assert "<script>alert(1)" not in nora.get(at("page", made.pk)).content.decode()


def test_a_ccda_reads_with_its_contents_and_sections(nora, file):
    made, _ = file(CCD)
    page = nora.get(at("page", made.pk)).content.decode()
    for words in (
        "Isabella Jones, born 1950-12-19",
        'href="#part-1"',
        "Penicillin G",
        "Walk without pain",
        "Chart Writer",
    ):
        assert words in page


def test_a_ccda_of_another_patient_is_told(nora, file, integrator):
    made, _ = file(CCD)
    assert "names another patient: Isabella Jones" in nora.get(at("page", made.pk)).content.decode()
    hers, _ = file(CCD, patient=Patient.objects.get(logical_id=integrator.create(ISABELLA)["id"]))
    assert "names another patient" not in nora.get(at("page", hers.pk)).content.decode()


def test_content_leaves_under_a_policy_that_runs_nothing(nora, file):
    made, key = file(PDF)
    answer = nora.get(at("show", made.pk, key))
    assert (answer.status_code, body(answer), answer["Content-Type"]) == (200, PDF, "application/pdf")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'self'"
    assert (answer["X-Content-Type-Options"], answer["X-Frame-Options"]) == ("nosniff", "SAMEORIGIN")


@pytest.mark.parametrize(("content", "suffix"), [(HTML, ".html"), (SVG, ".svg"), (PDF, ".pdf")])
def test_a_download_is_a_file_and_never_a_page(nora, file, content, suffix):
    made, key = file(content, kind="text/html", description='a/b "c"')
    answer = nora.get(at("download", made.pk, key))
    assert (body(answer), answer["Content-Type"]) == (content, "application/octet-stream")
    assert answer["Content-Disposition"] == f'attachment; filename="a-b \\"c\\"{suffix}"'
    assert "sandbox" in answer["Content-Security-Policy"]


def test_each_view_and_download_has_its_row(nora, file, trail, maria):
    made, key = file(PDF)
    for screen in ("page", "show", "download"):
        args = (made.pk,) if screen == "page" else (made.pk, key)
        before = len(trail())
        nora.get(at(screen, *args))
        rows = [row for row in trail()[before:] if row.resources == [f"Binary/{key}"]]
        assert [(row.action, row.patient, row.outcome) for row in rows] == [("read", maria.logical_id, "success")]


def test_no_row_no_content(nora, file, request):
    made, key = file(PDF)
    request.getfixturevalue("broken_trail")
    nora.raise_request_exception = False
    assert nora.get(at("download", made.pk, key)).status_code == 500


def test_content_of_another_document_is_not_given(nora, file):
    made, _ = file(PDF)
    _, other = file(PDF)
    assert nora.get(at("download", made.pk, other)).status_code == 404


def test_the_front_desk_sees_that_a_document_is_there_and_not_what_is_in_it(signed_in, file, settings):
    settings.CLAMAV = nowhere()
    made, key = file(b"plain words")
    desk = signed_in("front-desk")
    page = desk.get(at("page", made.pk))
    assert page.status_code == 200
    assert "plain words" not in page.content.decode()
    assert "Waits for the virus scanner" in page.content.decode()
    assert desk.get(at("download", made.pk, key)).status_code == 403


def test_infected_content_shows_nowhere_and_says_so(nora, file, maria):
    made, key = file(b"plain words")
    Content.objects.filter(pk=key).update(scan_state="refused", threat="Eicar")
    page = nora.get(at("page", made.pk)).content.decode()
    assert "The virus scanner found Eicar" in page
    assert "plain words" not in page
    assert nora.get(at("download", made.pk, key)).status_code == 403
    for address in (at("changelist"), reverse("admin:patients_patient_page", args=[maria.pk])):
        assert "Infected: not given out" in nora.get(address).content.decode()


def test_content_that_waits_for_the_scanner_shows_when_it_is_clean(nora, file, settings):
    made, key = file(PNG)
    settings.CLAMAV = "tcp://127.0.0.1:9"
    page = nora.get(at("page", made.pk)).content.decode()
    assert "waits for the virus scanner" in page
    assert "<img class=" not in page
    assert nora.get(at("show", made.pk, key)).status_code == 423
    Content.objects.update(scan_state="clean")
    assert nora.get(at("show", made.pk, key)).status_code == 200
    assert "no virus found" in nora.get(at("page", made.pk)).content.decode()


def test_damaged_content_is_not_shown_and_says_so(nora, file, objects):
    from documents import storage

    made, key = file(b"plain words")
    storage.put(Content.objects.get(pk=key).object_name, [b"changed"])
    assert "is not what was sent" in nora.get(at("page", made.pk)).content.decode()
    answer = nora.get(at("download", made.pk, key))
    assert answer.status_code == 500
    assert b"is not what was sent" in answer.content


# --- filing


def receive(browser, patient, content, **headers):
    return browser.post(at("receive", patient.pk), content, "application/octet-stream", headers=headers)


def line(content, **changes):
    said = {"content": content, "name": "a.pdf", "type": "18842-5", "title": "Letter", "date": "2024-05", **changes}
    counts = {"lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "0"}
    return {**counts, **{f"lines-0-{name}": value for name, value in said.items()}}


def test_a_file_is_received_and_filed(nora, maria, trail):
    told = receive(nora, maria, PDF, X_File_Type="application/pdf").json()
    assert told["about"] == f"PDF, {len(PDF)} bytes"
    answer = nora.post(at("upload", maria.pk), line(told["content"]))
    assert answer["Location"] == reverse("admin:patients_patient_page", args=[maria.pk])
    made = DocumentReference.objects.get()
    assert (made.type_code, made.description, made.patient_id) == ("18842-5", "Letter", maria.logical_id)
    assert made.contents.get().creation == "2024-05"
    assert made.contents.get().binary == told["content"]
    rows = [(row.action, row.resources[0].partition("/")[0]) for row in trail(action="create")][-2:]
    assert rows == [("create", "Binary"), ("create", "DocumentReference")]


def test_a_ccda_fills_the_form_and_the_document(nora, maria):
    told = receive(nora, maria, CCD).json()
    assert (told["type"], told["title"], told["date"]) == ("34133-9", "Summary of care", "2024-10-15")
    assert "Isabella Jones" in told["warning"]
    nora.post(at("upload", maria.pk), line(told["content"], type=told["type"], title="Mine", date=told["date"]))
    made = DocumentReference.objects.get()
    assert (made.date, made.description) == ("2024-10-15T10:30:26-05:00", "Mine")


def test_a_file_is_filed_once_and_by_whom_sent_it(nora, maria, signed_in):
    told = receive(nora, maria, PDF).json()
    other = signed_in("immunization-nurse", "clinician")
    for browser, count in ((other, 0), (nora, 1), (nora, 1)):
        browser.post(at("upload", maria.pk), line(told["content"]))
        assert DocumentReference.objects.count() == count


def test_a_newer_file_takes_the_place_of_a_document(nora, maria, file, integrator):
    made, _ = file(PDF)
    address = f"{at('upload', maria.pk)}?replaces={made.pk}"
    assert address in nora.get(at("page", made.pk)).content.decode()
    nora.post(address, line(receive(nora, maria, PDF).json()["content"]))
    made.refresh_from_db()
    newer = DocumentReference.objects.exclude(pk=made.pk).get()
    assert (made.status, made.version, newer.status) == ("superseded", 2, "current")
    found = integrator.get(f"DocumentReference?relatesto=DocumentReference/{made.logical_id}&relation=replaces").json()
    assert [each["resource"]["id"] for each in found["entry"]] == [newer.logical_id]
    assert nora.get(address).status_code == 404  # replaced already


def test_a_document_of_another_patient_is_not_replaced(nora, maria, file, integrator):
    other = Patient.objects.get(logical_id=integrator.create(ISABELLA)["id"])
    made, _ = file(PDF, patient=other)
    assert nora.get(f"{at('upload', maria.pk)}?replaces={made.pk}").status_code == 404


def test_what_is_missing_is_said_beside_the_field(nora, maria):
    told = receive(nora, maria, PDF).json()
    answer = nora.post(at("upload", maria.pk), line(told["content"], type="", title="", date="soon"))
    assert answer.status_code == 200
    assert set(answer.context["lines"].forms[0].errors) == {"type", "title", "date"}
    assert not DocumentReference.objects.exists()


def test_an_upload_that_is_refused_leaves_nothing(nora, maria, objects, settings, signed_in):
    settings.DOCUMENT_MAX_BYTES = 100
    assert receive(nora, maria, bytes(101)).json() == {"fault": "A document may have 0 MB at most."}
    assert receive(nora, maria, b"").status_code == 400
    assert receive(signed_in("immunization-nurse"), maria, PDF).status_code == 403
    assert receive(signed_in(), maria, PDF).status_code == 403
    assert (objects(), Content.objects.count()) == ([], 0)


def test_an_upload_without_its_row_leaves_nothing(nora, maria, objects, request):
    request.getfixturevalue("broken_trail")
    nora.raise_request_exception = False
    assert receive(nora, maria, PDF).status_code == 500
    assert (objects(), Content.objects.count()) == ([], 0)


def test_a_file_from_another_site_is_refused(maria, signed_in, objects):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in("clinician").cookies
    assert receive(strict, maria, PDF).status_code == 403
    assert objects() == []


def test_words_and_status_are_put_right_in_a_form(nora, file):
    made, _ = file(PDF)
    nora.post(at("change", made.pk), {"expected": "1", "description": "Better", "status": "entered-in-error"})
    made.refresh_from_db()
    assert (made.description, made.status, made.version) == ("Better", "entered-in-error", 2)


def test_content_that_waits_for_the_virus_scanner_is_neither_shown_nor_given_out(nora, file, settings):
    settings.CLAMAV = nowhere()
    made, key = file(PNG, "image/png")
    page = nora.get(at("page", made.pk)).content.decode()
    assert "This content waits for the virus scanner; try again in 5 minutes." in page
    assert 'class="flag' not in page  # said once
    assert at("show", made.pk, key) not in page
    for screen in ("show", "download"):
        answer = nora.get(at(screen, made.pk, key))
        assert (answer.status_code, PNG in body(answer)) == (423, False)


def test_a_ccda_is_filed_while_the_virus_scanner_is_down(file, settings):
    settings.CLAMAV = nowhere()
    file(CCD, "application/xml")
    assert Content.objects.get().scan_state == "quarantined"
