"""What content is, by its bytes and not by what is said of it."""

import pytest

from documents.kinds import HEAD, UNKNOWN, kind_of

KNOWN = {
    b"%PDF-1.7\n": "application/pdf",
    b"\x89PNG\r\n\x1a\n....": "image/png",
    b"\xff\xd8\xff\xe0": "image/jpeg",
    b"II*\x00": "image/tiff",
    bytes(128) + b"DICM": "application/dicom",
    b"PK\x03\x04": "application/zip",
    b"{\\rtf1": "application/rtf",
    b"\x7fELF\x02": "application/x-executable",
    b"MZ\x90\x00": "application/x-executable",
    b"RIFF\x00\x00\x00\x00WEBP": "image/webp",
    b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3">': "application/hl7-cda+xml",
    b'<?xml version="1.0"?><note/>': "application/xml",
    b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">': "image/svg+xml",
    b"\xef\xbb\xbf  <!DOCTYPE html><p>": "text/html",
    b"plain words <script>alert(1)</script>": "text/html",
    b'{"resourceType": "Patient"}': "application/json",
    b"MSH|^~\\&|": "x-application/hl7-v2+er7",
    b"Dear colleague,\n\tthank you.": "text/plain",
    "caf\u00e9".encode() * 100: "text/plain",
    b"\x00\x01\x02": UNKNOWN,
    b"caf\xe9 in latin-1": UNKNOWN,
    b"": UNKNOWN,
}


@pytest.mark.parametrize("head", KNOWN)
def test_content_is_known_by_its_first_bytes(head):
    assert kind_of(head[:HEAD]) == KNOWN[head]


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_character_that_is_cut_off_leaves_text_text(cut):
    assert kind_of(("ab" + "\U0001f642" * 3).encode()[: 2 + cut]) == "text/plain"
