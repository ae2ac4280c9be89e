"""National Drug Codes: 10 digits on the label (4-4-2, 5-3-2 or 5-4-1), 11 (5-4-2) in tables and messages.

21 CFR 207.33 gives the forms on the label; the 11-digit form, of which this server keeps `12345-0678-90`, pads the
short segment with a zero. Ten digits without hyphens may stand for three different codes.
"""

import re

_LABEL_FORMS = ((4, 4, 2), (5, 3, 2), (5, 4, 1))


def candidates(text: str) -> list[str]:
    """Return the 11-digit codes (5-4-2, hyphenated) that `text` may stand for; none where it is no NDC."""
    text = text.strip()
    if re.fullmatch(r"\d+-\d+-\d+", text, re.ASCII):
        segments = text.split("-")
        return [_padded(segments)] if tuple(map(len, segments)) in (*_LABEL_FORMS, (5, 4, 2)) else []
    if re.fullmatch(r"\d{11}", text, re.ASCII):
        return [_padded([text[:5], text[5:9], text[9:]])]
    if re.fullmatch(r"\d{10}", text, re.ASCII):
        cut = [_padded([text[:a], text[a : a + b], text[a + b :]]) for a, b, _ in _LABEL_FORMS]
        return list(dict.fromkeys(cut))  # zeros may make two forms one
    return []


def _padded(segments: list[str]) -> str:
    labeler, product, package = segments
    return f"{labeler:0>5}-{product:0>4}-{package:0>2}"
