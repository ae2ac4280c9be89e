"""Which of the scopes that a client asks for it is given: never more than it was registered with."""

from collections.abc import Iterator

from healthrecords.oauth import scopes
from healthrecords.oauth.narrowing import refuse_unsupported
from healthrecords.oauth.scopes import ANY, OTHERS, Scope


def granted(asked: str, registered: str) -> list[str]:
    """The scopes of `asked` that `registered` covers, each narrowed to what it covers.

    Raises BadScope, also for a constraint that no search of this server could keep: it is never ignored.
    """
    most = scopes.parse(registered)
    opened = [common for scope in scopes.parse(asked) for common in _common(scope, most)]
    refuse_unsupported(scope for scope in opened if scope.constraint)
    others = [word for word in asked.split() if word in OTHERS & set(registered.split())]
    return list(dict.fromkeys([*others, *(scope.text for scope in opened)]))


def _common(scope: Scope, most: tuple[Scope, ...]) -> Iterator[Scope]:
    """What a scope has in common with each of the registered ones."""
    for other in most:
        letters = "".join(letter for letter in scope.letters if letter in other.letters)
        if letters and scope.level == other.level and (scope.names(other.kind) or other.names(scope.kind)):
            kind = other.kind if scope.kind == ANY else scope.kind
            yield Scope(scope.level, kind, letters, tuple(dict.fromkeys(scope.constraint + other.constraint)))
