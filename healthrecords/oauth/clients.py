"""Register, disable, enable clients and change their keys. Each change leaves its row in the trail with it."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from healthrecords import trail
from healthrecords.access.request import AccessRequest
from healthrecords.accounts.models import Role
from healthrecords.accounts.people import find_role
from healthrecords.oauth import keysets, scopes
from healthrecords.oauth.models import AccessToken, Authorization, Client
from healthrecords.oauth.narrowing import refuse_unsupported
from healthrecords.oauth.scopes import OTHERS, BadScope

ROLE = "integrator"  # of a backend for which none is named
_LOOPBACK = frozenset({"127.0.0.1", "[::1]", "localhost"})
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")  # a domain in reverse (RFC 8252, 7.1)


def register(
    name: str,
    scope: str,
    by: AccessRequest,
    *,
    jwks: str = "",
    redirect_uris: tuple[str, ...] = (),
    launch_url: str = "",
    role_name: str = "",
    purposes: list[str] | None = None,
) -> Client:
    """Create a client: an app where addresses to return to are named, else a backend. ValidationError: what is wrong.

    `jwks` is the file or the address of its public keys; an app without them is a public client.
    """
    client = Client(name=_checked_name(name), redirect_uris=" ".join(map(_checked_return, redirect_uris)))
    client.scope = _checked_scope(scope, is_app=bool(redirect_uris))
    client.launch_url = _checked_https(launch_url, "The launch address") if launch_url else ""
    if redirect_uris:
        _refuse_own_role(role_name, purposes)
        client.authorization_grant_type = Client.GRANT_AUTHORIZATION_CODE
    else:
        client.authorization_grant_type = Client.GRANT_CLIENT_CREDENTIALS
        _give_role(client, find_role(role_name or ROLE), purposes or [])
    client.client_type = Client.CLIENT_CONFIDENTIAL if jwks else Client.CLIENT_PUBLIC
    if client.is_backend and not jwks:
        raise ValidationError("A backend proves who it is by its keys; name their file or address with --jwks.")
    if jwks:
        _take_keys(client, jwks)
    with transaction.atomic():
        _lock(name)
        if Client.objects.filter(name=client.name, disabled_at=None).exists():
            raise ValidationError(f"There is a client named {client.name} already; clients list shows it.")
        client.save()
        _record("create", client, f"registered for {client.scope}", by)
    return client


def rotate(name_or_id: str, jwks: str, by: AccessRequest) -> Client:
    """Take other keys for a client; those that are not among them open nothing from now on."""
    with transaction.atomic():
        client = _locked(name_or_id)
        if not client.is_confidential:
            raise ValidationError(f"{client.name} is a public client, which has no keys.")
        _take_keys(client, jwks)
        client.save(update_fields=["jwks", "jwks_url", "keys_read_at"])
        _record("update", client, f"keys are now {', '.join(keysets.thumbprints(client))}", by)
    return client


def disable(name_or_id: str, by: AccessRequest) -> bool:
    """Shut a client out at once, with its tokens; False when it was so already."""
    with transaction.atomic():
        client = _locked(name_or_id)
        if client.disabled_at:
            return False
        client.disabled_at = timezone.now()
        client.save(update_fields=["disabled_at"])
        AccessToken.objects.filter(application=client).delete()
        Authorization.objects.filter(client=client, ended_at=None).update(ended_at=timezone.now())
        _record("update", client, "disabled", by)
    return True


def enable(name_or_id: str, by: AccessRequest) -> bool:
    """Let a client ask for tokens again; False when it could already."""
    with transaction.atomic():
        client = _locked(name_or_id)
        if client.disabled_at is None:
            return False
        client.disabled_at = None
        client.save(update_fields=["disabled_at"])
        _record("update", client, "enabled", by)
    return True


def _take_keys(client: Client, where: str) -> None:
    """Read a key set from a file, or from an address, which is then asked again as time goes by."""
    if re.match(r"https?://", where):
        client.jwks, client.jwks_url, client.keys_read_at = keysets.fetch(where), where, timezone.now()
        return
    try:
        text = Path(where).read_text(encoding="utf-8")
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or "not text"
        raise ValidationError(f"{where} cannot be read ({reason}); name a file or an https:// address.") from None
    client.jwks, client.jwks_url, client.keys_read_at = keysets.parse(text), "", None


def _give_role(client: Client, role: Role, purposes: list[str]) -> None:
    if unknown := [code for code in purposes if code not in role.purposes]:
        has = ", ".join(role.purposes)
        raise ValidationError(f"The role {role.name} does not have the purpose {', '.join(unknown)}; it has {has}.")
    client.role, client.purposes = role, purposes or role.purposes


def _refuse_own_role(role_name: str, purposes: list[str] | None) -> None:
    if role_name or purposes:
        raise ValidationError("An app has the role and the purposes of whoever allows it; leave --role and --purpose.")


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 100 or not name.isprintable():
        raise ValidationError("A client needs a name of 1 to 100 printable characters.")
    return name


def _checked_scope(text: str, is_app: bool) -> str:
    """The scopes in one line; an app's are about people and patients, a backend's about the system."""
    try:
        found = scopes.parse(text)
        refuse_unsupported(found)
    except BadScope as fault:
        raise ValidationError(str(fault)) from None
    others = [word for word in dict.fromkeys(text.split()) if word in OTHERS]
    levels = {"patient", "user"} if is_app else {"system"}
    wrong = [scope.text for scope in found if scope.level not in levels] + ([] if is_app else others)
    if wrong:
        kind = "An app has patient/ and user/ scopes" if is_app else "A backend has system/ scopes alone"
        raise ValidationError(f"{kind}, not {', '.join(wrong)}.")
    if not found and not others:
        raise ValidationError("A client needs at least one scope, such as system/Patient.rs.")
    return " ".join([*others, *(scope.text for scope in found)])


def _checked_return(uri: str) -> str:
    """An address that a browser is sent back to with a code: https, loopback, or an installed app's own scheme."""
    parts = urlsplit(uri)
    if not re.fullmatch(r"[!-~]+", uri) or "*" in uri or parts.fragment or parts.username or "\\" in uri:
        raise ValidationError(f"{uri[:200]} is no address to return to: no spaces, wildcards, names or fragments.")
    if parts.scheme == "http" and parts.netloc.rpartition(":")[0] in _LOOPBACK:
        return uri
    if (parts.scheme == "https" and parts.hostname) or (_PRIVATE_SCHEME.fullmatch(parts.scheme) and ":" in uri):
        return uri
    raise ValidationError(f"{uri[:200]} must begin with https://, or with http://127.0.0.1:PORT on one's own machine.")


def _checked_https(url: str, what: str) -> str:
    parts = urlsplit(url)
    local = settings.EMBEDDED and parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
    if not re.fullmatch(r"[!-~]+", url) or not parts.hostname or not (parts.scheme == "https" or local):
        raise ValidationError(f"{what} must begin with https://.")
    return url


def _locked(name_or_id: str) -> Client:
    """By id, or by name: the client that is enabled before one that had the name earlier."""
    clients = Client.objects.select_for_update()
    named = clients.filter(name=name_or_id).order_by(F("disabled_at").desc(nulls_first=True))
    found = clients.filter(client_id=name_or_id).first() or named.first()
    if found is None:
        raise ValidationError(f"There is no client of the name or id {name_or_id}; clients list shows all.")
    return found


def _lock(name: str) -> None:
    """One registration at a time for a name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"client {name.strip()}"])


def _record(action: str, client: Client, detail: str, by: AccessRequest) -> None:
    fact = trail.Fact(action, resources=(f"Client/{client.client_id}",), detail=f"{client.name}: {detail}")
    trail.record(by.to(action, "Client"), [fact])
