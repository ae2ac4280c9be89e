"""Forms of records: what a person types, the version that they saw, and what to do when it is no longer the latest."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import DELETION_FIELD_NAME
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from healthrecords.access.request import AccessRequest
from healthrecords.console import changes
from healthrecords.fhir.datatypes import check_partial_date
from healthrecords.fhir.primitives import FORBIDDEN

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm

UNSEEN = frozenset({DELETION_FIELD_NAME, "record", "uuid"})
LONGEST = 4000  # characters, as FHIR's strings in the API
STALE = (
    "Somebody saved this record while you were editing it. Your entries are kept below, and the list shows what "
    "changed meanwhile. Look through both, then save again."
)


def printable(text: str) -> None:
    """Validator: no control characters, which FHIR does not permit."""
    if FORBIDDEN.search(text):
        raise ValidationError("This holds a control character that cannot be stored; type it again.")


def text_field(label: str, longest: int = LONGEST, hint: str = "") -> forms.CharField:
    """One line of text that may be empty."""
    return forms.CharField(
        label=label, required=False, max_length=longest, help_text=hint, widget=UnfoldAdminTextInputWidget,
        validators=[printable],
    )  # fmt: skip


def date_field(label: str, hint: str = "") -> forms.CharField:
    """A date that may be partial."""
    widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "placeholder": "YYYY-MM-DD"})
    return forms.CharField(label=label, required=False, help_text=hint, widget=widget, validators=[check_partial_date])


class WordsField(forms.CharField):
    """A list of texts in one line, separated by spaces or commas."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", UnfoldAdminTextInputWidget)
        super().__init__(max_length=LONGEST, validators=[printable], **kwargs)

    def split(self, text: str) -> list[str]:
        """The texts in what was typed."""
        return text.replace(",", " ").split()

    def prepare_value(self, value: Any) -> Any:
        return " ".join(filter(None, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return self.split(super().clean(value) or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is shown, so that a stored text with a space inside stays one until it is edited."""
        return self.split(self.prepare_value(initial) or "") != self.split(data or "")


class LinesField(WordsField):
    """A list of texts, one a line."""

    def split(self, text: str) -> list[str]:
        return [line.strip() for line in text.splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(filter(None, value)) if isinstance(value, list) else value


class YesNoField(forms.NullBooleanField):
    """Yes, no, or not said."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [("", "Not said"), ("true", "Yes"), ("false", "No")]
        super().__init__(widget=UnfoldAdminSelectWidget(choices=choices), **kwargs)

    def to_python(self, value: Any) -> bool | None:  # type: ignore[override]
        return {"true": True, True: True, "false": False, False: False}.get(value)

    def prepare_value(self, value: Any) -> Any:
        return {True: "true", False: "false", None: ""}.get(value, value)


class CodedField(forms.ChoiceField):
    """A code under labels that people use; a stored code without a label stays a choice."""

    def __init__(self, labels: dict[str, str], values: Any = None, **kwargs: Any) -> None:
        self.known = {value: labels[value] for value in (values or labels)}
        super().__init__(choices=self._with(), widget=UnfoldAdminSelectWidget, **kwargs)

    def _with(self, *others: str) -> list[tuple[str, str]]:
        return [("", "Not said"), *self.known.items(), *((code, code) for code in others)]

    def keep(self, code: Any) -> None:
        """Offer a stored code, too."""
        if isinstance(code, str) and code and code not in self.known:
            self.choices = self._with(code)


def coded(label: str, labels: dict[str, str], values: Any = None) -> CodedField:
    """An optional field for a code out of `values` (all of `labels` when not given)."""
    return CodedField(labels, values, label=label, required=False)


class CodedForm(ModelForm):
    """A form that loses nothing it cannot show: unknown codes stay choices, references that lead nowhere stay as well.

    `unlisted` are the fields whose reference is to no record that may be chosen here; an empty field keeps it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keep_codes()
        self.unlisted = {name for name in self.fields if self._is_unlisted(name)}
        for name in self.unlisted:
            stored = getattr(self.instance, f"{name}_id")
            self.initial[name] = None
            self.fields[name].help_text = f"Refers to {stored}, which is not listed here. Leave empty to keep it."

    def _is_unlisted(self, name: str) -> bool:
        field, stored = self.fields[name], getattr(self.instance, f"{name}_id", None)
        if not isinstance(field, forms.ModelChoiceField) or not stored or field.queryset is None:
            return False
        return not field.queryset.filter(**{field.to_field_name or "pk": stored}).exists()

    def _get_validation_exclusions(self) -> set[str]:
        """Leave out what is kept: the model would look for the record."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {name for name in self.unlisted if name not in self.cleaned_data}

    def clean(self) -> dict[str, Any]:
        """Keep a reference to what is not listed, unless another one was chosen."""
        cleaned = super().clean() or self.cleaned_data
        for name in self.unlisted:
            if not cleaned.get(name):
                cleaned.pop(name, None)
        return cleaned

    def keep_codes(self) -> None:
        """Let each coded field keep its stored code."""
        for name, field in self.fields.items():
            if isinstance(field, CodedField):
                field.keep(self.initial.get(name) or "")


class RecordForm(CodedForm):
    """A form that carries the version it was made from, and is refused when there is a newer one."""

    asked: AccessRequest
    expected = forms.IntegerField(widget=forms.HiddenInput, required=False)
    meanwhile: list[changes.Difference] = []
    is_stale = False
    refused: list[str] = []  # what the API's validation found in the record as it would be stored

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["expected"] = self.stored_version = self.instance.version

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        seen = cleaned.pop("expected", None)
        if not self.instance._state.adding and seen != self.stored_version:
            self._refuse_stale(seen or 0)
        for words in self.refused:
            self.add_error(None, f"This cannot be stored: {words}")
        return cleaned

    def _refuse_stale(self, seen: int) -> None:
        """Say what changed meanwhile; the next attempt is made against what is stored now."""
        self.is_stale = True
        self.meanwhile = changes.since(self.asked, self.instance, seen)
        data: Any = self.data
        self.data = data.copy()
        self.data[self.add_prefix("expected")] = str(self.stored_version)  # type: ignore[index]
        self.add_error(None, ValidationError(STALE, code="stale"))


class PartForm(CodedForm):
    """A form of a repeated part. `written` are the fields that the whole, as written in `text_column`, repeats."""

    written: tuple[str, ...] = ()
    text_column = "text"

    def clean(self) -> dict[str, Any]:
        """Keep lists that were not edited, drop a whole that its pieces contradict, and a part that was emptied."""
        cleaned = super().clean() or self.cleaned_data
        self._keep_lists(cleaned)
        if set(self.written) & set(self.changed_data) and self.text_column not in self.changed_data:
            setattr(self.instance, self.text_column, "")
            if self.text_column in cleaned:
                cleaned[self.text_column] = ""
        if not self.errors and self.is_blank(cleaned):
            cleaned[DELETION_FIELD_NAME] = True
        return cleaned

    def _keep_lists(self, cleaned: dict[str, Any]) -> None:
        """A list that was not edited stays as it is, with the spaces within its texts."""
        for name, field in self.fields.items():
            if isinstance(field, WordsField) and name in self.initial and name not in self.changed_data:
                cleaned[name] = self.initial[name]

    def is_blank(self, cleaned: dict[str, Any]) -> bool:
        """Whether nothing is left of the part."""
        values = [value for name, value in cleaned.items() if name not in UNSEEN]
        is_empty = all(value in (None, "", []) for value in values) and not self.unlisted - set(cleaned)
        return is_empty and not self.instance.extra


def rebase(data: Any, prefix: str, keys: list[str]) -> None:
    """Point the forms of a page that is no longer current at the rows that are there now, place by place.

    A resource put by the API gives its parts new rows. Forms for which there is no row any more become new ones.
    """
    initial = int(data.get(f"{prefix}-INITIAL_FORMS") or 0)
    if {data.get(f"{prefix}-{n}-uuid") for n in range(initial)} <= set(keys):
        return
    for n in range(initial):
        data[f"{prefix}-{n}-uuid"] = keys[n] if n < len(keys) else ""
    data[f"{prefix}-INITIAL_FORMS"] = str(min(initial, len(keys)))
