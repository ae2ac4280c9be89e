"""A sample of documents, compared by their hashes with what a restored database says of them."""

from collections.abc import Iterator

from documents import contents, storage
from documents.models import Content
from healthrecords.fhir.outcome import FHIRError

SAMPLE = 20  # documents


def faults() -> Iterator[str]:
    """One sentence for each document of the sample that cannot be had as its row says."""
    for content in Content.objects.order_by("?")[:SAMPLE]:
        try:
            for _ in contents.unguarded(content):
                pass
        except storage.Missing:
            yield f"{content} is missing in the store."
        except storage.StoreFault:
            yield "The store of the documents does not answer; no document was compared."
            return
        except FHIRError as fault:
            yield f"{content}: {fault.issues[0].text}"
