"""PDF from a Typst template and data: tagged for screen readers (PDF/UA-1), with a title and a language.

The data goes in as JSON (`json(bytes(sys.inputs.data))` in the template) and is never pasted into it, so that nothing
in a record can become markup. Fonts are those of the library: the same page on every machine, and no network.
"""

from pathlib import Path
from typing import Any

import orjson
import typst


def render(template: Path, data: dict[str, Any]) -> bytes:
    """Return the document that `template` makes of `data`, whose `title` becomes the document's.

    Raises typst.TypstError where the template does not fit the data: a fault of ours.
    """
    made = typst.compile(
        template.read_bytes(),
        sys_inputs={"data": orjson.dumps(data).decode()},
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
    )
    assert isinstance(made, bytes)  # noqa: S101  # nosec B101  one file, since the format is PDF
    return made
