"""What holds for a purpose of use where no consent says anything: changed by the compliance officer, and recorded."""

import re

from django.core.exceptions import ValidationError
from django.db import transaction

from compliance.consent.models import PurposeDefault
from compliance.consent.predicate import EMERGENCY
from healthrecords import trail
from healthrecords.access.request import AccessRequest

SUBJECT = "PurposeDefault"


def change(purpose: str, permits: bool, by: AccessRequest) -> bool:
    """Let records be shown for a purpose (an HL7 v3 code) or not, from now on; False where it was so already.

    Raises ValidationError for what is no code, and for ETREAT, which shows nothing outside of an emergency.
    """
    code = purpose.strip()
    if not re.fullmatch(r"[A-Z]{2,20}", code):
        raise ValidationError("A purpose of use is a code of HL7 in capital letters, such as PUBHLTH.")
    if code == EMERGENCY:
        raise ValidationError("ETREAT opens records in a declared emergency alone; it has no default.")
    with transaction.atomic():
        before = PurposeDefault.objects.select_for_update().filter(purpose=code, permits=True).exists()
        if before == permits:
            return False
        PurposeDefault.objects.update_or_create(purpose=code, defaults={"permits": permits})
        detail = f"{code}: {_word(before)} before, {_word(permits)} now"
        fact = trail.Fact("update", resources=(f"{SUBJECT}/{code}",), versions=(0,), detail=detail)
        trail.record(by.to("update", SUBJECT), [fact])
    return True


def _word(permits: bool) -> str:
    return "permit" if permits else "deny"
