"""The limits, each with its reason, and what is said when content goes beyond one."""

from dataclasses import dataclass

from healthrecords.fhir.outcome import FHIRError

DEPTH = 5  # archives in one another: a DOCX in a ZIP in a tar in a gzip is four
ENTRIES = 10_000  # files in all archives of an upload; a study of 2,000 images fits
EXPANDED = 1024**3  # bytes of all levels together: four times the largest upload
RATIO = 200  # expanded bytes per byte sent; deflate reaches 1,032, text about 10, logs 50
RATIO_FROM = 32 * 1024**2  # bytes; what expands to less harms nobody, whatever its ratio
NAME = 1024  # bytes of the name of a file in an archive
PDF_OBJECTS = 500_000  # pages, fonts and pictures are objects; a book of 1,000 pages has 20,000
PDF_STREAMS = 100_000
PDF_EXPANDED = 512 * 1024**2  # bytes; a scanned blank page expands 1,000 times, so that no ratio holds for PDF
PDF_FILTERS = 4  # decoders of one stream; two are usual
PIXELS = 16_384**2  # 268 megapixels, a gigabyte in a viewer; the largest slide scanners are beyond a document
PROLOG = 64 * 1024  # bytes of one comment or instruction before the first element of XML


def beyond(text: str) -> FHIRError:
    """Content that needs more than a limit permits."""
    return FHIRError.of(422, "too-costly", text, "Binary.data")


def hostile(text: str) -> FHIRError:
    """Content of a kind or form that only attacks have, or that hides what is in it."""
    return FHIRError.of(422, "security", text, "Binary.data")


def damaged(text: str) -> FHIRError:
    """Content that cannot be looked into as it is."""
    return FHIRError.of(422, "structure", text, "Binary.data")


def _mb(size: int) -> str:
    return f"{size // 1024**2} MB"


@dataclass
class Budget:
    """What one upload has used so far of what it may; methods raise FHIRError 422 once it is too much."""

    sent: int = 0
    entries: int = 0
    expanded: int = 0
    pdf_objects: int = 0
    pdf_streams: int = 0
    pdf_expanded: int = 0

    def entry(self) -> None:
        """Count a file in an archive, or one embedded in a PDF."""
        self.entries += 1
        if self.entries > ENTRIES:
            raise beyond(f"The content holds more than {ENTRIES} files.")

    def expand(self, data: bytes) -> None:
        """Count bytes that came out of an archive."""
        self.expanded += len(data)
        if self.expanded > EXPANDED:
            raise beyond(f"The content expands to more than {_mb(EXPANDED)}.")
        if self.expanded > max(RATIO_FROM, RATIO * self.sent):
            raise beyond(f"The content expands to more than {RATIO} times its size.")

    def objects(self, count: int) -> None:
        """Count objects of PDFs."""
        self.pdf_objects += count
        if self.pdf_objects > PDF_OBJECTS:
            raise beyond(f"The PDF has more than {PDF_OBJECTS} objects.")

    def stream(self) -> None:
        """Count a stream of a PDF."""
        self.pdf_streams += 1
        if self.pdf_streams > PDF_STREAMS:
            raise beyond(f"The PDF has more than {PDF_STREAMS} streams.")

    def expand_pdf(self, data: bytes) -> None:
        """Count bytes that came out of a stream of a PDF."""
        self.pdf_expanded += len(data)
        if self.pdf_expanded > PDF_EXPANDED:
            raise beyond(f"The PDF expands to more than {_mb(PDF_EXPANDED)}.")


def refuse_depth(depth: int) -> None:
    """Raise FHIRError 422 for an archive inside `depth` - 1 others, if that is too deep."""
    if depth > DEPTH:
        raise beyond(f"The content nests archives more than {DEPTH} deep.")


def refuse_pixels(width: int, height: int) -> None:
    """Raise FHIRError 422 for an image of too many pixels."""
    if width * height > PIXELS:
        raise beyond(f"The image has {width} x {height} pixels; {PIXELS // 10**6} megapixels are the most.")
