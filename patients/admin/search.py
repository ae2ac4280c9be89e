"""The quick search: each word may be a part of a name, an identifier, a birth date or a phone number; all must fit."""

import re
from typing import Any

from django.db.models import Q, QuerySet

from healthrecords.crypto.envelope import blind_indexes
from healthrecords.fhir.primitives import DATE, span
from healthrecords.text import fold
from patients.models import Patient, PatientIdentifier, PatientName, PatientTelecom

_US_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_SSN = re.compile(r"[0-9]{9}")
MOST_WORDS = 8
LEAST_DIGITS = 3  # of a phone number; the index knows no shorter text
LEAST_OF_IDENTIFIER = 4


def narrow(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Return those of `rows` that every word of `text` fits; unchanged for a text without a word."""
    for word in text.split()[:MOST_WORDS]:
        kinds = [_identified(word), _named(word), _born(word), _reached(word)]
        first, *others = [patients for patients in kinds if patients is not None]
        rows = rows.filter(pk__in=first.union(*others))
    return rows


def _named(word: str) -> QuerySet[Any] | None:
    """A name, or a word within one, that begins with `word`."""
    key = fold(word.strip(","))
    if not key:
        return None
    wanted = Q(any_key__contains=f"|{key}") | Q(any_key__contains=f" {key}") | Q(any_key__contains=f"-{key}")
    return PatientName.objects.filter(wanted).values("record")


def _identified(word: str) -> QuerySet[Any]:
    """An identifier that begins with `word`; a national id only as a whole."""
    wanted = Q(fingerprint__in=_fingerprints(word))
    wanted |= Q(value__startswith=word) if len(word) >= LEAST_OF_IDENTIFIER else Q(value=word)
    return PatientIdentifier.objects.filter(wanted).values("record")


def _fingerprints(word: str) -> list[bytes]:
    return [index for form in _national_forms(word) for index in blind_indexes(form, "identifier")]


def _national_forms(word: str) -> set[str]:
    """The ways in which the same national id may have been written."""
    plain = word.replace("-", "")
    dashed = {f"{plain[:3]}-{plain[3:5]}-{plain[5:]}"} if _SSN.fullmatch(plain) else set()
    return {word, plain, word.upper(), *dashed}


def _born(word: str) -> QuerySet[Any] | None:
    """A birth date within the day, month or year that `word` writes."""
    try:
        low, high = span(_iso(word))
    except ValueError:
        return None
    born: QuerySet[Any] = Patient.objects.all()
    return born.filter(birth_from__gte=low, birth_from__lt=high).values("pk")


def _iso(word: str) -> str:
    found = _US_DATE.fullmatch(word)
    text = f"{found[3]}-{int(found[1]):02}-{int(found[2]):02}" if found else word
    if not DATE.fullmatch(text):
        raise ValueError(word)
    return text


def _reached(word: str) -> QuerySet[Any] | None:
    """A phone number that holds the digits of `word`, or an e-mail address that begins with it."""
    if "@" in word:
        return PatientTelecom.objects.filter(value_key__startswith=word.casefold()).values("record")
    digits = "".join(c for c in word if c.isdigit())
    rest = re.sub(r"[0-9().+\-/]", "", word)
    if rest or len(digits) < LEAST_DIGITS:
        return None
    return PatientTelecom.objects.filter(value_key__contains=digits).values("record")
