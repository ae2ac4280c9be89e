"""Extensions (R4 §2.4): known ones keep to their definition, unknown ones are accepted with a warning."""

from collections.abc import Iterator
from typing import Any

from . import profiles
from .primitives import is_absolute
from .rules import Scope

JSON = dict[str, Any]
Found = tuple[str, str, str, str]


def faults(extension: JSON, path: str, scope: Scope) -> Iterator[Found]:
    """What is wrong with an extension by its URL: IssueType code, sentence, path and severity."""
    url = extension.get("url")
    if not isinstance(url, str) or not url:
        return  # reported as missing or malformed
    found = profiles.faults(extension, url, path, scope)
    if found is not None:
        for code, text, at in found:
            yield code, text, at, "error"
    elif not _is_nested(path):
        if is_absolute(url):
            yield "extension", f"The extension '{url[:200]}' is not known here; it is kept as it is.", path, "warning"
        else:
            yield "structure", f"The extension's url '{url[:100]}' must be absolute.", path, "error"


def _is_nested(path: str) -> bool:
    """Whether an extension is part of another one, whose definition gives it a short name."""
    owner = path.rpartition(".")[0].rpartition(".")[2]
    return owner.startswith(("extension[", "modifierExtension["))
