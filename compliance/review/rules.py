"""The rules of the review: facts in, a sentence about what is unusual out. A limit of 0 turns a rule off."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Person:
    """Somebody who looks: folded names and e-mail, the addresses of their own record, and how common their name is."""

    id: str
    name: str
    given: str
    family: str
    email: str = ""
    addresses: frozenset[str] = frozenset()
    namesakes: int = 0


@dataclass(frozen=True)
class Patient:
    """Whom they looked at: as far as the rules compare. `cared_for`: a visit, dose or document near that day."""

    id: str
    names: frozenset[tuple[str, str]] = frozenset()  # folded (given, family)
    emails: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    watched: bool = False
    cared_for: bool = False


@dataclass(frozen=True)
class Look:
    """One person's looks at one patient on one day: local times, and whether they also wrote in the chart."""

    person: Person
    patient: Patient
    times: tuple[datetime, ...]
    wrote: bool = False


@dataclass(frozen=True)
class Day:
    """All of one person's looks on one day."""

    person: Person
    looks: tuple[Look, ...]


@dataclass(frozen=True)
class Limits:
    """What the compliance officer may change. 0 turns the rule off that the limit belongs to."""

    opens_hour: int = 6
    closes_hour: int = 20
    care_days: int = 30
    many_patients: int = 40
    many_minutes: int = 60
    namesakes: int = 50


WORDS = {
    "opens_hour": "Working day begins (hour)",
    "closes_hour": "Working day ends (hour)",
    "care_days": "A visit, dose or document counts as near within (days)",
    "many_patients": "Many patients are at least",
    "many_minutes": "within (minutes)",
    "namesakes": "A family name is common when more patients bear it than",
}
MOST = {"opens_hour": 23, "closes_hour": 24, "care_days": 3650, "many_patients": 10_000, "many_minutes": 1440}

Judge = Callable[[Look, Limits], str]


@dataclass(frozen=True)
class Rule:
    """A rule about a look; `weight` (grave, caution, calm) is how it is shown."""

    title: str
    weight: str
    judge: Judge = field(repr=False)


def own_record(look: Look, limits: Limits) -> str:
    """Somebody opens their own chart, which they have a right to, but not by this way."""
    if look.person.email and look.person.email in look.patient.emails:
        return "The patient has this person's e-mail address."
    if (look.person.given, look.person.family) in look.patient.names:
        return "The patient has this person's whole name."
    return ""


def own_family(look: Look, limits: Limits) -> str:
    """A relative, perhaps; a name that many bear says nothing."""
    families = {family for _, family in look.patient.names}
    if own_record(look, limits) or look.person.family not in families or look.person.namesakes > limits.namesakes:
        return ""
    return "The patient has this person's family name." if limits.namesakes and look.person.family else ""


def own_address(look: Look, limits: Limits) -> str:
    """Somebody of the same household."""
    shared = look.person.addresses & look.patient.addresses
    return "The patient lives at this person's address." if shared and not own_record(look, limits) else ""


def watched(look: Look, limits: Limits) -> str:
    return "The patient is on the list of watched patients." if look.patient.watched else ""


def no_visit(look: Look, limits: Limits) -> str:
    """A chart opened though nothing happened: who wrote in it had something to do there."""
    if not limits.care_days or look.wrote or look.patient.cared_for:
        return ""
    return f"No visit, dose or document within {limits.care_days} days, and nothing was written."


def out_of_hours(look: Look, limits: Limits) -> str:
    begins, ends = limits.opens_hour, limits.closes_hour
    late = [time for time in look.times if not begins <= time.hour < ends]
    return f"Opened at {late[0]:%H:%M}, outside of {begins} to {ends} o'clock." if late and ends else ""


RULES: dict[str, Rule] = {
    "own-record": Rule("Own record", "grave", own_record),
    "own-family": Rule("Own family name", "caution", own_family),
    "own-address": Rule("Own address", "grave", own_address),
    "watched": Rule("Watched patient", "grave", watched),
    "no-visit": Rule("No visit nearby", "calm", no_visit),
    "out-of-hours": Rule("Out of hours", "calm", out_of_hours),
}
MANY = "many-patients"
TITLES = {**{name: rule.title for name, rule in RULES.items()}, MANY: "Many patients in little time"}
WEIGHTS = {**{name: rule.weight for name, rule in RULES.items()}, MANY: "caution"}


def many_patients(day: Day, limits: Limits) -> tuple[int, datetime, datetime] | None:
    """The most patients that the person opened within the window, with its begin and end; None when not too many."""
    opened = sorted((time, look.patient.id) for look in day.looks for time in look.times)
    if not limits.many_patients or not limits.many_minutes:
        return None
    best = max(_windows(opened, timedelta(minutes=limits.many_minutes)), default=None, key=lambda window: window[0])
    return best if best and best[0] >= limits.many_patients else None


def _windows(opened: list[tuple[datetime, str]], span: timedelta) -> Iterable[tuple[int, datetime, datetime]]:
    """For each look, how many patients were opened in the `span` that ends with it."""
    counts: dict[str, int] = {}
    first = 0
    for time, patient in opened:
        counts[patient] = counts.get(patient, 0) + 1
        while opened[first][0] < time - span:
            gone = opened[first][1]
            counts[gone] -= 1
            if not counts[gone]:
                del counts[gone]
            first += 1
        yield len(counts), opened[first][0], time
