"""The form of a consent: one rule, up to three exceptions to it, and to each of these up to one again."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from compliance.consent import provisions, words
from healthrecords.accounts.models import Role, User
from healthrecords.console.forms import date_field, text_field

JSON = dict[str, Any]
EXCEPTIONS = 3
KINDS = [("deny", "Keep records from somebody"), ("permit", "Let somebody see records")]


def people() -> list[tuple[str, str]]:
    """Whom a rule can name: the roles that open records, and those who sign in here and are in the directory."""
    roles = [role for role in Role.objects.order_by("title") if "r" in role.permissions.get("Patient", "")]
    named = User.objects.filter(is_active=True).exclude(practitioner="").order_by("name")
    staff = [(f"Practitioner/{each.practitioner}", each.name) for each in named]
    return [*((f"role:{role.name}", f"Role: {role.title}") for role in roles), *staff]


def several(label: str, choices: Any, hint: str) -> forms.MultipleChoiceField:
    """Boxes of which none may be ticked, which means that the rule does not ask."""
    widget = UnfoldAdminCheckboxSelectMultipleWidget
    return forms.MultipleChoiceField(label=label, choices=choices, required=False, help_text=hint, widget=widget)


class RuleForm(forms.Form):
    """Who, what, what for, and when."""

    who = several("Who", people, "Nobody ticked: everybody.")
    what = several(
        "What",
        list(words.CLASSES.items()),
        "Nothing ticked: all but the patient's own record.",
    )
    labels = several("Only what is marked as", list(words.LABELS.items()), "Nothing ticked: marked or not.")
    purposes = several("What for", list(words.PURPOSES.items())[:-1], "Nothing ticked: whatever it is for.")
    since = date_field("From")
    until = date_field("Until", "This day included.")

    def provision(self, kind: str, inside: list[JSON]) -> JSON:
        """The rule as a Consent.provision; `kind` is permit or deny."""
        said = self.cleaned_data
        parts = {
            "period": {name: said[field] for name, field in (("start", "since"), ("end", "until")) if said[field]},
            "actor": [_actor(each) for each in said["who"]],
            "securityLabel": [_label(each) for each in said["labels"]],
            "purpose": [{"system": provisions.PURPOSE_SYSTEM, "code": each} for each in said["purposes"]],
            "class": [{"system": provisions.CLASS_SYSTEM, "code": each} for each in said["what"]],
            "provision": inside,
        }
        return {"type": kind, **{name: value for name, value in parts.items() if value}}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for: an exception that is not used."""
        return not any(self.cleaned_data.values())


class StartForm(RuleForm):
    """The rule itself, and how the patient gave it."""

    kind = forms.ChoiceField(label="This consent is to", choices=KINDS, widget=UnfoldAdminSelectWidget)
    given = date_field("Given on")
    signed = forms.BooleanField(
        label="I have the signature of the patient, or of who may sign for them", required=False
    )
    source = text_field("Where the paper is kept", 200)
    field_order = ("kind", "who", "what", "labels", "purposes", "since", "until", "given", "signed", "source")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["given"].required = True


class ConsentForm:
    """All rules of the form together. `exceptions` are pairs: the exception, and the exception to it."""

    def __init__(self, data: Any = None, initial: JSON | None = None) -> None:
        self.start = StartForm(data, prefix="rule", initial=initial)
        self.exceptions = [
            (RuleForm(data, prefix=f"except-{n}"), RuleForm(data, prefix=f"except-{n}-but")) for n in range(EXCEPTIONS)
        ]
        self.errors: list[str] = []

    def is_valid(self) -> bool:
        """Whether each rule can be read; an exception to an exception that is not there is none."""
        rules = [self.start, *(rule for pair in self.exceptions for rule in pair)]
        faulty = [rule for rule in rules if not rule.is_valid()]  # each is asked, so that each can say what is wrong
        if faulty:
            return False
        if any(outer.is_empty and not inner.is_empty for outer, inner in self.exceptions):
            self.errors.append("There is an exception to an exception that says nothing itself.")
        return not self.errors

    def resource(self, patient: str) -> JSON:
        """The Consent of a patient (logical id) that the form describes."""
        said = self.start.cleaned_data
        kind, other = said["kind"], "permit" if said["kind"] == "deny" else "deny"
        inside = [
            outer.provision(other, [] if inner.is_empty else [inner.provision(kind, [])])
            for outer, inner in self.exceptions
            if not outer.is_empty
        ]
        made = {
            "resourceType": "Consent",
            "status": "active",
            "scope": {"coding": [{"system": _SCOPE, "code": "patient-privacy"}]},
            "category": [
                {"coding": [{"system": "http://loinc.org", "code": "59284-0", "display": "Consent Document"}]}
            ],
            "patient": {"reference": f"Patient/{patient}"},
            "dateTime": said["given"],
            "performer": [{"reference": f"Patient/{patient}"}],
            "policyRule": {"coding": [{"system": _RULES, "code": "OPTOUT" if kind == "deny" else "OPTIN"}]},
            "verification": [{"verified": said["signed"], "verificationDate": said["given"]}],
            "provision": self.start.provision(kind, inside),
        }
        return {**made, **({"sourceReference": {"display": said["source"]}} if said["source"] else {})}


_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
_RULES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def _actor(named: str) -> JSON:
    if named.startswith("role:"):
        name = named.removeprefix("role:")
        coding = {"system": provisions.ROLE_SYSTEM, "code": name}
        return {"role": {"coding": [coding]}, "reference": {"display": name}}
    recipient = {"system": provisions.PARTICIPATION, "code": "IRCP"}
    return {"role": {"coding": [recipient]}, "reference": {"reference": named}}


def _label(named: str) -> JSON:
    system, _, code = named.rpartition("|")
    return {"system": system, "code": code}
