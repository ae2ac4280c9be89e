"""A consent in words that a patient would sign: the same on the screen, in the preview and on paper."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from compliance.consent.provisions import Node
from healthrecords.accounts.models import Role
from healthrecords.directory.models import Practitioner

CLASSES = {
    "Patient": "the patient's own record",
    "Immunization": "immunizations",
    "DocumentReference": "documents",
    "Provenance": "where records came from",
}
PURPOSES = {
    "TREAT": "treatment", "HPAYMT": "payment", "HOPERAT": "running the clinic", "PUBHLTH": "public health",
    "HRESCH": "research", "HMARKT": "marketing", "FAMRQT": "requests of the family", "ETREAT": "emergencies",
}  # fmt: skip
_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_SENSITIVITY = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
LABELS = {
    f"{_CONFIDENTIALITY}|R": "restricted", f"{_CONFIDENTIALITY}|V": "very restricted",
    f"{_SENSITIVITY}|HIV": "about HIV", f"{_SENSITIVITY}|PSY": "about mental health",
    f"{_SENSITIVITY}|ETH": "about substance use", f"{_SENSITIVITY}|SEX": "about sexual health",
    f"{_SENSITIVITY}|SDV": "about abuse or violence",
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """A sentence, and those that are exceptions to it."""

    text: str
    exceptions: tuple["Said", ...] = ()

    def as_data(self) -> dict[str, object]:
        """The same for a template of the printed form."""
        return {"text": self.text, "exceptions": [each.as_data() for each in self.exceptions]}


def say(node: Node) -> Said:
    """A provision with those inside it."""
    return Said(_sentence(node), tuple(say(child) for child in node.children))


def _sentence(node: Node) -> str:
    who = _listed([_actor(each) for each in sorted(node.actors)], "or") if node.actors is not None else ""
    subject = who or ("Nobody" if node.denies else "Everybody who may open records here")
    verb = "may not see" if node.denies and who else "may see"
    told = f"{subject[:1].upper()}{subject[1:]} {verb} {_what(node)}{_why(node)}{_when(node)}"
    return f"{told}."


def _what(node: Node) -> str:
    known = [CLASSES.get(each, each) for each in sorted(node.classes)] if node.classes is not None else []
    what = _listed(known, "and") if known else "this person's records"
    if node.labels is None:
        return what
    marked = _listed([LABELS.get(each, each.rpartition("|")[2]) for each in sorted(node.labels)], "or")
    return f"{what}, where marked as {marked},"


def _why(node: Node) -> str:
    if node.purposes is None:
        return ""
    return f" for {_listed([PURPOSES.get(each, each) for each in sorted(node.purposes)], 'or')}"


def _when(node: Node) -> str:
    since = f" from {_day(node.starts_at)}" if node.starts_at else ""
    until = f" until {_day(node.ends_at - timedelta(microseconds=1))}" if node.ends_at else ""
    return since + until


def _day(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d}"


def _actor(named: str) -> str:
    kind, _, name = named.partition(":")
    if kind == "role":
        role = Role.objects.filter(name=name).first()
        return f"whoever has the role {role.title if role else name}"
    if named.startswith("Practitioner/"):
        found = Practitioner.objects.live().filter(logical_id=named.partition("/")[2]).first()
        return str(found) if found else named
    return named


def _listed(words: Iterable[str], joint: str) -> str:
    *first, last = list(words)
    return f"{', '.join(first)} {joint} {last}" if first else last
