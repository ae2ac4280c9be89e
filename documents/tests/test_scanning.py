"""The virus scanner: what is clean leaves, what is infected is refused, and what has no verdict waits."""

import pytest
from django.db import DatabaseError

from documents.models import Content, DocumentReference
from documents.scanning import clamd
from documents.scanning.tasks import NONE, scan_everything, scan_waiting
from documents.tests.conftest import body
from documents.tests.samples import PDF, document, inline, noise
from documents.tests.scanners import EICAR, answering, nowhere

needs_clamd = pytest.mark.needs("clamd")
OK, FOUND, LARGE = b"stream: OK\0", b"stream: Bad.Thing-1 FOUND\0", b"INSTREAM size limit exceeded. ERROR\0"


@pytest.fixture
def scanner_says(settings):
    """Let a scanner of the given answer be the configured one, for the length of a block."""
    from contextlib import contextmanager

    @contextmanager
    def say(answer, after=None, **more):
        with answering(answer, after, **more) as settings.CLAMAV:
            yield
        settings.CLAMAV = nowhere()

    return say


def state():
    return Content.objects.latest("created_at").scan_state


@pytest.fixture
def scan(run):
    """Run `documents scan`."""
    return lambda *options: run("scan", *options)


def told(answer):
    return answer.status_code, answer.json()["issue"][0]["diagnostics"]


# --- clamd itself -------------------------------------------------------------------------------------------------


@needs_clamd
def test_clean_content_is_scanned_on_its_way_in_and_leaves(uploader, real_scanner):
    sent = noise(3_000_000)
    path = uploader.new(sent)
    assert (state(), Content.objects.get().scanned_at is not None) == ("clean", True)
    assert body(uploader.get(path)) == sent


@needs_clamd
def test_infected_content_is_refused_recorded_and_not_kept(uploader, real_scanner, objects, trail):
    answer = uploader.send(noise(6_000_000) + EICAR, "text/plain")
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (422, "security")
    assert "Eicar-Test-Signature" in told(answer)[1]
    assert (objects(), Content.objects.count()) == ([], 0)
    [row] = trail(action="scan")
    assert (row.outcome, row.actor, row.detail) == ("infected", "integrator token", "Eicar-Test-Signature.UNOFFICIAL")
    assert [row.outcome for row in trail(action="create")] == ["failed 422"]


@needs_clamd
def test_a_document_with_infected_data_is_refused_as_a_whole(integrator, real_scanner, objects):
    answer = integrator.post("DocumentReference", document(attachment=inline(EICAR)))
    assert answer.status_code == 422
    assert (objects(), Content.objects.count(), DocumentReference.objects.count()) == ([], 0, 0)


@needs_clamd
def test_content_beyond_what_the_scanner_takes_is_not_clean(uploader, real_scanner, scan):
    path = uploader.new(bytes(21 * 1024**2), "application/octet-stream")
    assert (state(), uploader.get(path).status_code) == ("quarantined", 423)
    code, said = scan()
    assert (code, said["waiting"]) == (1, 1)
    assert "larger than the virus scanner takes" in said["unanswered"][path]


@needs_clamd
def test_what_waited_is_served_once_it_is_clean(uploader, real_scanner, settings, scan):
    settings.CLAMAV = nowhere()
    path = uploader.new(PDF)
    status, text = told(uploader.get(path))
    assert (status, "waits for the virus scanner" in text) == (423, True)
    settings.CLAMAV = real_scanner
    code, said = scan()
    assert (code, said["clean"], said["waiting"], said["scanner"]) == (0, 1, 0, "answers")
    assert body(uploader.get(path)) == PDF


@needs_clamd
def test_what_turns_out_infected_is_kept_but_refused_and_recorded(
    integrator, uploader, settings, *, real_scanner, trail, scan
):
    settings.CLAMAV = ""
    path = uploader.new(EICAR, "text/plain")
    sent = document(attachment={"contentType": "text/plain", "url": path})
    assert integrator.post("DocumentReference", sent).status_code == 201
    settings.CLAMAV = real_scanner
    assert uploader.get(path).status_code == 423
    code, said = scan()
    assert (code, said["infected"], said["refused"]) == (1, [path], 1)
    [row] = trail(action="scan")
    assert (row.outcome, row.patient, row.resources) == ("infected", "p1", [path])
    for scanner in (real_scanner, ""):  # no scanner is no pardon
        settings.CLAMAV = scanner
        status, text = told(uploader.get(path))
        assert (status, "Eicar-Test-Signature" in text) == (403, True)


# --- Scanners that fail -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [LARGE, b"", b"stream: OK", b"stream: OK \0", b"stream: ok\0", b"OK\0", b"\0", b"stream: \0", b"stream: OK\0\0",
     b"stream:  FOUND\0", b"stream: a b FOUND\0", b"UNKNOWN COMMAND\0", b"\xff" * 600, b"stream: Bad FOUND ERROR\0"],
)  # fmt: skip
def test_an_answer_that_is_no_verdict_is_not_clean(uploader, scanner_says, answer):
    with scanner_says(answer):
        path = uploader.new(PDF)
    assert (state(), uploader.get(path).status_code) == ("quarantined", 423)


def test_the_answers_that_are_verdicts_are_taken(uploader, scanner_says, objects):
    with scanner_says(OK):
        uploader.new(PDF)
        assert state() == "clean"
    with scanner_says(FOUND):
        assert "Bad.Thing-1" in told(uploader.send(PDF))[1]
    assert len(objects()) == 1


def test_a_scanner_that_dies_in_the_middle_leaves_the_upload_whole_and_quarantined(uploader, scanner_says, settings):
    sent = noise(12_000_000)
    with scanner_says(b"", after=100_000):
        path = uploader.new(sent)
        assert state() == "quarantined"
    settings.CLAMAV = ""
    assert body(uploader.get(path)) == sent


def test_a_scanner_that_says_clean_before_it_has_everything_is_not_believed(uploader, scanner_says):
    with scanner_says(OK, after=1000):
        uploader.new(noise(20_000_000))
    assert state() == "quarantined"


@pytest.mark.parametrize("late", ["ANSWER", "SEND"])
def test_a_scanner_that_is_slow_is_not_waited_for(uploader, scanner_says, monkeypatch, late):
    monkeypatch.setattr(clamd, late, 0.2)
    with scanner_says(None, after=1 if late == "SEND" else None):
        uploader.new(noise(20_000_000) if late == "SEND" else PDF)
    assert state() == "quarantined"


def test_a_scanner_that_is_down_is_told_to_the_operator(uploader, settings, scan):
    settings.CLAMAV = nowhere()
    uploader.new(PDF)
    code, said = scan()
    assert (code, said["scanner"], said["waiting"]) == (2, "The virus scanner does not answer.", 1)
    settings.CLAMAV = ""
    assert scan()[0] == 2


def test_something_else_at_its_address_is_no_scanner(uploader, scanner_says, scan):
    with scanner_says(OK, ping=b"HTTP/1.1 400 Bad Request\r\n\r\n"):
        assert scan()[1]["scanner"] == "What answers at HEALTHCARE_CLAMAV is no virus scanner."


def test_nothing_of_quarantined_content_leaves(integrator, uploader, settings):
    settings.CLAMAV = nowhere()
    path = uploader.new(PDF)
    for asked in ({"Range": "bytes=0-1"}, {"Accept": "application/fhir+json"}, {"If-None-Match": "*"}):
        answer = uploader.get(path, **asked)
        assert (answer.status_code, answer["Retry-After"]) == (423, "300")
    assert uploader.caller.send("HEAD", path).status_code == 423


def test_an_outsider_does_not_learn_that_content_waits(uploader, uploader_with_role, settings):
    settings.CLAMAV = nowhere()
    path = uploader.new(PDF)
    assert uploader_with_role("clinician").get(path).status_code == 404


# --- Tasks and rescans --------------------------------------------------------------------------------------------


def test_the_timetable_scans_what_waits_and_everything_now_and_then(uploader, settings):
    settings.CLAMAV = nowhere()
    uploader.new(PDF)
    assert scan_waiting().summary == "1 content left without a verdict."
    settings.CLAMAV = ""
    assert (scan_waiting().summary, scan_everything().summary) == (NONE, NONE)


def test_a_mistake_of_the_scanner_is_taken_back(uploader, scanner_says, trail, scan):
    with scanner_says(OK):
        path = uploader.new(PDF)
    with scanner_says(FOUND):
        assert scan()[0] == 0  # it has its verdict, and nobody asked for another
        assert scan("--all")[1]["infected"] == [path]
        assert scan("--all")[1]["infected"] == []  # told once
        assert uploader.get(path).status_code == 403
    with scanner_says(OK):
        assert scan("--all")[1]["released"] == [path]
        assert body(uploader.get(path)) == PDF
    assert [(row.outcome, row.detail) for row in trail(action="scan")] == [
        ("infected", "Bad.Thing-1"),
        ("clean", "Bad.Thing-1"),
    ]


def test_a_scanner_without_a_verdict_changes_nothing_about_clean_content(uploader, scanner_says, scan):
    with scanner_says(OK):
        path = uploader.new(PDF)
    with scanner_says(LARGE):
        code, said = scan("--all")
        assert (code, list(said["unanswered"])) == (1, [path])
        assert uploader.get(path).status_code == 200


def test_no_row_no_release(uploader, scanner_says, monkeypatch, scan):
    from healthrecords import trail

    with scanner_says(OK):
        path = uploader.new(PDF)
    Content.objects.update(scan_state="refused", threat="Bad.Thing-1")

    def fail(*_):
        raise DatabaseError("no space left")

    with scanner_says(OK):
        monkeypatch.setattr(trail, "_sink", lambda: fail)
        assert scan("--all")[0] == 2
        monkeypatch.undo()
        assert uploader.get(path).status_code == 403
