"""The scope language of SMART App Launch 2 (hl7.org/fhir/smart-app-launch, "Scopes and Launch Context").

`patient/Immunization.rs?status=completed`: a level, a type, letters and perhaps a constraint, which is a search. The
forms of version 1 (`.read`, `.write`, `.*`) mean the same here as `.rs`, `.cud` and `.cruds`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

LEVELS = ("patient", "user", "system")
ANY = "*"
# Scopes that open no records: who signed in, what was launched, how long the access lasts.
OTHERS = frozenset({"openid", "fhirUser", "profile", "launch", "launch/patient", "offline_access", "online_access"})
MOST = 100  # scopes of one text
MOST_TERMS = 10  # of one constraint
_OLD = {"read": "rs", "write": "cud", "*": "cruds"}
_CLINICAL = re.compile(r"(patient|user|system)/(\*|[A-Z][A-Za-z]+)\.(read|write|\*|c?r?u?d?s?)(?:\?(.*))?")


class BadScope(ValueError):
    """A scope that is malformed or not supported; the message names it."""


@dataclass(frozen=True)
class Scope:
    """What one scope opens: at a level, the interactions of `letters` (of `cruds`, in this order) on a type, or any.

    With a constraint (search parameters with their values, in order), only on records that this search finds.
    """

    level: str
    kind: str
    letters: str
    constraint: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """The scope as version 2 writes it."""
        terms = urlencode(self.constraint, safe="|:,/") if self.constraint else ""
        return f"{self.level}/{self.kind}.{self.letters}{f'?{terms}' if terms else ''}"

    def names(self, kind: str) -> bool:
        """Whether the scope is about this resource type, by its name or by `*`."""
        return self.kind in (kind, ANY)


@lru_cache(maxsize=1000)
def parse(text: str) -> tuple[Scope, ...]:
    """Return the scopes on records that `text` lists, between spaces; those of OTHERS are known and left out.

    Raises BadScope, which names the first scope that is malformed. Whether this server has the type and the search
    parameters is for `healthrecords.oauth.narrowing.refuse_unsupported` to say.
    """
    words = text.split()
    if len(words) > MOST:
        raise BadScope(f"A request has at most {MOST} scopes.")
    return tuple(dict.fromkeys(_clinical(words)))


def _clinical(words: list[str]) -> Iterator[Scope]:
    yield from (_scope(word) for word in words if word not in OTHERS)


def _scope(word: str) -> Scope:
    found = _CLINICAL.fullmatch(word)
    if found is None or not found[3]:
        raise BadScope(f"'{word[:100]}' is no scope; one looks like patient/Immunization.rs or system/*.cruds.")
    level, kind, letters, terms = found.groups()
    if terms is None:
        return Scope(level, kind, _OLD.get(letters, letters))
    if letters in _OLD:
        raise BadScope(f"'{word[:100]}' has a constraint, which only scopes with letters such as .rs may have.")
    return Scope(level, kind, letters, _constraint(word, kind, terms))


def _constraint(word: str, kind: str, terms: str) -> tuple[tuple[str, str], ...]:
    if kind == ANY:
        raise BadScope(f"'{word[:100]}' constrains every type; name the one whose search parameters it uses.")
    try:
        pairs = parse_qsl(terms, keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_TERMS)
    except ValueError:
        pairs = []
    if not pairs:
        raise BadScope(f"'{word[:100]}' has no constraint such as ?status=completed, of at most {MOST_TERMS} terms.")
    return tuple(pairs)
