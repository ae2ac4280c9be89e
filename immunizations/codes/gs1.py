"""Read what a barcode reader types: GS1 element strings, GTINs, and UPC or NDC digits alone.

GS1 General Specifications, section 3 (Application Identifiers), 5.10 (separators, FNC1), 7.9 (check digits) and 7.12
(the century of a date). An element string comes with FNC1 as the group separator (0x1D), with or without a symbology
identifier such as `]d2` in front, as printed with its identifiers in parentheses, or without separators where every
element but the last has a fixed length.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache

GS = "\x1d"
_SHOWN_GS = ("\u241d", "<GS>", "{GS}", "^]")  # how readers show a separator that a page would swallow
# Data Matrix, GS1-128, DataBar, QR, DotCode: with GS1 content. EAN and UPC symbols carry digits alone.
_GS1_SYMBOLS = ("]d2", "]C1", "]e0", "]Q3", "]J1")
_LINEAR_SYMBOLS = ("]E0", "]E4", "]I1")

# Identifiers and their formats: N digits, X the 82 characters, Y the 39, Z base64url; `..` up to, `+` then, `?` if any.
_FORMATS = """
00:N18 01-03:N14 10:X..20 11-13:N6 15-17:N6 20:N2 21-22:X..20 235:X..28 240-241:X..30 242:N..6 243:X..20 250-251:X..30
253:N13+X..17? 254:X..20 255:N13+N..12? 30:N..8 3100-3105:N6 3110-3115:N6 3120-3125:N6 3130-3135:N6 3140-3145:N6
3150-3155:N6 3160-3165:N6 3200-3205:N6 3210-3215:N6 3220-3225:N6 3230-3235:N6 3240-3245:N6 3250-3255:N6 3260-3265:N6
3270-3275:N6 3280-3285:N6 3290-3295:N6 3300-3305:N6 3310-3315:N6 3320-3325:N6 3330-3335:N6 3340-3345:N6 3350-3355:N6
3360-3365:N6 3370-3375:N6 3400-3405:N6 3410-3415:N6 3420-3425:N6 3430-3435:N6 3440-3445:N6 3450-3455:N6 3460-3465:N6
3470-3475:N6 3480-3485:N6 3490-3495:N6 3500-3505:N6 3510-3515:N6 3520-3525:N6 3530-3535:N6 3540-3545:N6 3550-3555:N6
3560-3565:N6 3570-3575:N6 3600-3605:N6 3610-3615:N6 3620-3625:N6 3630-3635:N6 3640-3645:N6 3650-3655:N6 3660-3665:N6
3670-3675:N6 3680-3685:N6 3690-3695:N6 37:N..8 3900-3909:N..15 3910-3919:N3+N..15 3920-3929:N..15 3930-3939:N3+N..15
3940-3943:N4 3950-3955:N6 400-401:X..30 402:N17 403:X..30 410-417:N13 420:X..20 421:N3+X..9 422:N3 423:N..15 424:N3
425:N..15 426:N3 427:X..3 4300-4301:X..35 4302-4306:X..70 4307:X2 4308:X..30 4309:N20 4310-4311:X..35 4312-4316:X..70
4317:X2 4318:X..20 4319:X..30 4320:X..35 4321-4323:N1 4324-4325:N10 4326:N6 4330-4333:N6+X..1? 7001:N13 7002:X..30
7003:N10 7004:N..4 7005:X..12 7006:N6 7007:N6+N..6? 7008:X..3 7009:X..10 7010:X..2 7011:N6+N..4? 7020-7022:X..20
7023:X..30 7030-7039:N3+X..27 7040:N1+X3 7041:X..4 710-717:X..20 7230-7239:X2+X..28 7240:X..20 7241:N2 7242:X..25
7250:N8 7251:N12 7252:N1 7253-7254:X..40 7255:X..10 7256:X..90 7257:X..70 7258:X3 7259:X..40 8001:N14 8002:X..20
8003:N14+X..16? 8004:X..30 8005:N6 8006:N18 8007:X..34 8008:N8+N..4? 8009:X..50 8010:Y..30 8011:N..12 8012:X..20
8013:X..25 8014:X..25 8017-8018:N18 8019:N..10 8020:X..25 8026:N18 8030:Z..90 8110:X..70 8111:N4 8112:X..70 8200:X..70
90:X..30 91-99:X..90
"""
_CHARACTERS = {
    "N": "[0-9]",
    "X": r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]""",
    "Y": r"[#\-/0-9A-Z]",
    "Z": r"[A-Za-z0-9\-_=]",
}
# How many characters from the start are a GS1 key that ends with its check digit.
_CHECKED = {"00": 18, "402": 17, "253": 13, "255": 13, "8017": 18, "8018": 18}
_CHECKED |= dict.fromkeys(("01", "02", "03", "8003", "8006", "8026"), 14)
_CHECKED |= {str(ai): 13 for ai in range(410, 418)}
_DATES = {"11": "production", "12": "due", "13": "packaging", "15": "best-before", "16": "sell-by", "17": "expiry"}


class BarcodeError(Exception):
    """What was typed cannot be read; the text is one sentence that says why."""


@dataclass(frozen=True)
class Format:
    """The form of an identifier's value; `length` is its length where that is fixed."""

    pattern: re.Pattern[str]
    length: int | None
    longest: int


@dataclass(frozen=True)
class Label:
    """What a barcode says. `elements` has each value as written, by its identifier."""

    elements: dict[str, str]
    problems: tuple[str, ...] = ()
    gtin: str = ""
    lot: str = ""
    serial: str = ""
    ndc: str = ""
    dates: dict[str, date] = field(default_factory=dict)

    @property
    def expiry(self) -> date | None:
        """The last day of use, AI 17."""
        return self.dates.get("17")

    @property
    def produced(self) -> date | None:
        """The day of production, AI 11."""
        return self.dates.get("11")


def read(text: str, today: date) -> Label:
    """Say what a barcode holds; wrong check digits and impossible dates are among its `problems`.

    `today` decides the century of dates. Raise BarcodeError where the text is malformed or has an unknown identifier.
    """
    text = text.strip(" \t\r\n")
    if linear := _linear(text):
        return _linear_label(linear)
    elements = parse(text)
    dates, faults = _dates(elements, today)
    return Label(
        elements,
        (*_check_digit_faults(elements), *faults),
        gtin=elements.get("01", ""),
        lot=elements.get("10", ""),
        serial=elements.get("21", ""),
        ndc=elements.get("715", ""),
        dates=dates,
    )


def parse(text: str) -> dict[str, str]:
    """Return the values of an element string by their identifiers, in order; raise BarcodeError."""
    plain = _plain(text)
    pairs = _printed(plain) if plain.startswith("(") else _encoded(plain)
    elements: dict[str, str] = {}
    for ai, value in pairs:
        if not _format(ai).pattern.fullmatch(value):
            raise BarcodeError(f"The barcode is malformed: ({ai}) cannot be {_shown(value)}.")
        if elements.setdefault(ai, value) != value:
            raise BarcodeError(f"The barcode gives ({ai}) twice, as {elements[ai]} and as {value}.")
    return elements


def check_digit(digits: str) -> str:
    """Return the check digit that follows `digits` (weights 3 and 1 from the right, General Specifications 7.9)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def ndc_of(gtin: str) -> str:
    """Return the 10-digit NDC inside a GTIN-14 of a US drug (prefix 03), or nothing for any other product.

    The first digit tells the packaging level, not the product.
    """
    return gtin[3:13] if len(gtin) == 14 and gtin[1:3] == "03" else ""


def day(yymmdd: str, today: date) -> date:
    """Return the day of a GS1 date; day 00 is the last of the month. Raise ValueError where there is no such day."""
    year, month, number = int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:])
    century = today.year - today.year % 100
    ahead = year - today.year % 100
    full = century + year + (-100 if ahead >= 51 else 100 if ahead <= -50 else 0)
    if number == 0 and 1 <= month <= 12:
        number = calendar.monthrange(full, month)[1]
    return date(full, month, number)


# --- Element strings ----------------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    """Take the symbology identifier and the first FNC1 away; every separator becomes GS."""
    if text.startswith("]"):
        if not text.startswith(_GS1_SYMBOLS):
            raise BarcodeError(f"The barcode is no GS1 code: its reader says {_shown(text[:3])} where ]d2 is expected.")
        text = text[3:]
    for shown in _SHOWN_GS:
        text = text.replace(shown, GS)
    if not text.strip(GS):
        raise BarcodeError("The barcode is empty.")
    return text.removeprefix(GS)


def _encoded(text: str) -> Iterator[tuple[str, str]]:
    """Cut an element string: fixed lengths by counting, others at the next separator or the end."""
    while text:
        ai = _identifier(text)
        form, text = _format(ai), text[len(ai) :]
        length = form.length or _until_separator(text, ai, form)
        value, text = text[:length], text[length:]
        if GS in value or len(value) < (form.length or 1):
            raise BarcodeError(f"The barcode ends too early: ({ai}) holds only {_shown(value.split(GS)[0])}.")
        yield ai, value
        text = text.removeprefix(GS)


def _until_separator(text: str, ai: str, form: Format) -> int:
    length = len(text.split(GS, 1)[0])
    if length > form.longest:
        raise BarcodeError(
            f"The barcode is malformed: ({ai}) is longer than {form.longest} characters; "
            "the reader may leave out the separators (set it to send GS)."
        )
    return length


def _printed(text: str) -> Iterator[tuple[str, str]]:
    """Cut the printed form, whose identifiers stand in parentheses."""
    parts = re.split(r"\((\d{2,4})\)", text, flags=re.ASCII)
    if parts[0] or len(parts) == 1:
        raise BarcodeError("The barcode is malformed: it has to begin with an identifier such as (01).")
    for ai, value in zip(parts[1::2], parts[2::2], strict=True):
        if _format_or_none(ai) is None:
            raise BarcodeError(f"The barcode has an unknown identifier, ({ai}).")
        yield ai, value


def _identifier(text: str) -> str:
    for length in (2, 3, 4):
        if _format_or_none(text[:length]):
            return text[:length]
    raise BarcodeError(f"The barcode has an unknown identifier at {_shown(text[:4])}.")


def _format(ai: str) -> Format:
    return _formats()[ai]


def _format_or_none(ai: str) -> Format | None:
    return _formats().get(ai)


@cache
def _formats() -> dict[str, Format]:
    found = {}
    for entry in _FORMATS.split():
        span, form = entry.split(":")
        first, _, last = span.partition("-")
        compiled = _compiled(form)
        for number in range(int(first), int(last or first) + 1):
            found[f"{number:0{len(first)}}"] = compiled
    return found


def _compiled(form: str) -> Format:
    pattern, longest, fixed = "", 0, True
    for part in form.split("+"):
        kind, size, optional = part[0], part[1:].rstrip("?"), part.endswith("?")
        upper = int(size.removeprefix(".."))
        lower = 0 if optional else 1 if size.startswith("..") else upper
        pattern += f"{_CHARACTERS[kind]}{{{lower},{upper}}}"
        longest, fixed = longest + upper, fixed and lower == upper
    return Format(re.compile(pattern), longest if fixed and ".." not in form else None, longest)


# --- What the values mean -----------------------------------------------------------------------------------------


def _check_digit_faults(elements: dict[str, str]) -> Iterator[str]:
    for ai, value in elements.items():
        if length := _CHECKED.get(ai):
            yield from _wrong_check_digit(f"({ai})", value[:length])


def _wrong_check_digit(name: str, number: str) -> Iterator[str]:
    if number[-1] != (right := check_digit(number[:-1])):
        yield f"The check digit of {name} {number} is wrong (it would be {right}); scan it again."


def _dates(elements: dict[str, str], today: date) -> tuple[dict[str, date], list[str]]:
    dates, faults = {}, []
    for ai in elements.keys() & _DATES.keys():
        try:
            dates[ai] = day(elements[ai], today)
        except ValueError:
            faults.append(f"The {_DATES[ai]} date ({ai}) {elements[ai]} is no day of the calendar.")
    return dates, sorted(faults)


# --- Digits alone -------------------------------------------------------------------------------------------------


def _linear(text: str) -> str:
    """The digits of a UPC, EAN or GTIN, or an NDC as digits or with hyphens; nothing for everything else."""
    if text.startswith(_LINEAR_SYMBOLS):
        text = text[3:]
    if re.fullmatch(r"\d{10,14}|\d{4,5}-\d{3,4}-\d{1,2}", text, re.ASCII):
        return text
    return ""


def _linear_label(text: str) -> Label:
    """UPC-A, EAN-13 and GTIN-14 end with a check digit; ten or eleven digits, or hyphens, are an NDC."""
    if "-" in text or len(text) < 12:
        return Label({}, ndc=text)
    gtin = text.rjust(14, "0")
    return Label({"01": gtin}, tuple(_wrong_check_digit("barcode", text)), gtin=gtin)


def _shown(text: str) -> str:
    """Text for a message, without characters that do not print."""
    return f"“{''.join(c if c.isprintable() else '�' for c in text)}”"
