"""Names of files in archives: refused where unpacking them would write elsewhere, or show something else."""

import re

from documents.limits.bounds import NAME, beyond, hostile

_UNSEEN = re.compile("[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # control and direction characters


def refuse_bad_name(raw: bytes) -> None:
    """Raise FHIRError 422 for a name that leaves its folder, hides what it is, or is too long."""
    if len(raw) > NAME:
        raise beyond(f"A file in the archive has a name of more than {NAME} bytes.")
    name = raw.decode("utf-8", "replace").replace("\\", "/")
    if _UNSEEN.search(name):
        raise hostile("A file in the archive has a name with control or direction characters.")
    if name.startswith("/") or re.match("[A-Za-z]:", name) or ".." in name.split("/"):
        raise hostile("A file in the archive has a name that leads out of its folder.")
