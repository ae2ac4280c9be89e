"""The validator alone: it asks nobody outside of the kernel about a code."""

import pytest

from healthrecords.fhir.validation import vocabulary


@pytest.fixture(autouse=True, scope="package")
def no_vocabulary():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "_KNOWN", {})
        yield
