"""Checks a code that somebody typed: of the authenticator app, each good for one use, or a recovery code.

The use of a code is noted in the database, in the transaction of the sign-in, so that it holds without the cache.
"""

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.db import transaction
from django.utils.crypto import constant_time_compare

from healthrecords.accounts.factors import KIND
from healthrecords.accounts.models import User


@transaction.atomic
def check(person: User, code: str) -> Authenticator | None:
    """Use a code up; return the factor that it belongs to, or None for a code that is wrong or was used."""
    digits = "".join(each for each in code if each.isascii() and each.isdigit())
    for factor in Authenticator.objects.select_for_update().filter(user=person).exclude(type=KIND.WEBAUTHN):
        used = _use_app(factor, digits) if factor.type == KIND.TOTP else factor.wrap().validate_code(digits)
        if digits and used:
            return factor
    return None


def matching(secret: str, code: str) -> int | None:
    """The time step (RFC 6238) whose code this is, of those that are allowed now."""
    steps = yield_hotp_counters_from_time()
    return next(
        (step for step in steps if constant_time_compare(code, format_hotp_value(hotp_value(secret, step)))), None
    )


def _use_app(factor: Authenticator, code: str) -> bool:
    """Whether the code is right and newer than the last one used."""
    step = matching(decrypt(factor.data["secret"]), code)
    if step is None or step <= factor.data.get("step", 0):
        return False
    factor.data["step"] = step
    factor.save(update_fields=["data"])
    return True
