"""The limits let ordinary files pass, however they come in pieces, and stop a bomb before it has all come."""

import gzip
import io
import tarfile
import zipfile
import zlib
from contextlib import suppress

import pytest
import typst

from documents.limits import bounds
from documents.limits.looking import within_limits
from documents.tests.hostile import flat, pdf, png, stream, tarred, zipped
from healthrecords.fhir.outcome import FHIRError


class Pipe(io.RawIOBase):
    """A place to write to without going back, so that a ZIP puts its sizes behind its files."""

    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def streamed_zip():
    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"text " * 1000)
        archive.writestr("folder/b.txt", b"more")
    return out.data


def zip64():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("large.bin", "w", force_zip64=True) as file:
            file.write(b"x" * 100_000)
        archive.mkdir("empty")
        archive.comment = b"made by a test"
    return out.getvalue()


def tar_of(form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name in ("a.txt", "long/" * 25 + "name.txt"):
            member = tarfile.TarInfo(name)
            member.size = 700
            archive.addfile(member, io.BytesIO(b"x" * 700))
    return out.getvalue()


ORDINARY = {
    "ZIP": zipped(("a.txt", b"hello"), ("b/c.xml", b"<a/>")),
    "ZIP written as a stream": streamed_zip(),
    "ZIP64": zip64(),
    "empty ZIP": zipped(),
    "ZIP in a tar in a gzip": gzip.compress(tarred(data=zipped(("a.txt", b"x")))),
    "tar, GNU": tar_of(tarfile.GNU_FORMAT),
    "tar, pax": tar_of(tarfile.PAX_FORMAT),
    "tar, ustar": tar_of(tarfile.USTAR_FORMAT),
    "gzip of two members": gzip.compress(b"one") + gzip.compress(b"two") + bytes(20),
    "empty gzip": gzip.compress(b""),
    "PDF": typst.compile(b"#set page(width: 5cm)\n= A letter\n#lorem(200)"),
    "PDF, Flate in ASCII85": pdf(stream(b"GhVP\n~>", b"/Filter[/ASCII85Decode/FlateDecode]")),
    "PDF with a stream that is none": pdf(stream(b"broken")),
    "PDF with an embedded ZIP": pdf(stream(zipped(("a", b"b")), b"/Type/EmbeddedFile")),
    "PDF of blank pages": pdf(*[stream(flat(bytes(8_000_000)))] * 5),
    "PNG": png(2000, 3000),
    "text like a bitmap": b"BM normal, MZ twins" * 3,
    "text like a program": b"MZ twins, second of two" * 3,
    "text in brackets": b"<no subject>\nDear colleague [sic]",
    "HTML": b"<!DOCTYPE html>\n<html><body>a[1]</body></html>",
    "XML": b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- <!DOCTYPE a> -->\n<a>]]&gt;</a>',
    "XML in UTF-16": '<?xml version="1.0"?><a/>'.encode("utf-16"),
    "nothing much": b"x",
}


@pytest.mark.parametrize("size", [1, 7, 1000, 10**9])
@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_file_passes_in_pieces_of_any_size(name, size):
    data = ORDINARY[name][:40_000] if name == "PDF" and size == 1 else ORDINARY[name]
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert b"".join(within_limits(pieces)) == data


def test_a_bomb_is_refused_before_it_has_all_come():
    packer, taken = zlib.compressobj(wbits=31), []

    def endless():
        while True:
            taken.append(packer.compress(bytes(8 * 1024**2)))
            yield taken[-1]

    with pytest.raises(FHIRError):
        for _ in within_limits(endless()):
            pass
    assert sum(map(len, taken)) < 1_000_000


def test_what_expands_moderately_is_stopped_by_its_sum(monkeypatch):
    monkeypatch.setattr(bounds, "EXPANDED", 10_000_000)
    data = zipped(*((f"{number}.txt", bytes(1_000_000)) for number in range(11)))
    with pytest.raises(FHIRError) as refusal:
        list(within_limits([data]))
    assert refusal.value.issues[0].text == "The content expands to more than 9 MB."


@pytest.mark.parametrize("at", range(30, 120, 7))
def test_a_zip_with_a_changed_byte_is_never_an_error_of_ours(at):
    data = bytearray(streamed_zip())
    data[at] ^= 0xFF
    with suppress(FHIRError):
        list(within_limits([bytes(data)]))
