"""What is asked of each file that is filed."""

from typing import Any

from django import forms

from documents.admin import labels
from healthrecords.console.forms import date_field, text_field


class LineForm(forms.Form):
    """One file that has arrived: what it is. `name` and `about` only show it again."""

    content = forms.UUIDField(widget=forms.HiddenInput)
    name = forms.CharField(widget=forms.HiddenInput, required=False, max_length=300)
    about = forms.CharField(widget=forms.HiddenInput, required=False, max_length=300)
    type = forms.ChoiceField(label="Type", choices=[("", "Choose a type"), *labels.TYPE.items()])
    title = text_field("Title")
    date = date_field("Date of the document", "As 2024-05-17; 2024-05 or 2024 when no more is known.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].required = self.fields["date"].required = True
        self._keep_type()

    def _keep_type(self) -> None:
        """Accept a code that is not in the list: the header of a C-CDA may name any of LOINC's."""
        code = str(self.data.get(self.add_prefix("type"), ""))
        field: Any = self.fields["type"]
        if code and code not in labels.TYPE and len(code) <= 20 and code.replace("-", "").isdigit():
            field.choices = [*field.choices, (code, f"As the document says ({code})")]


def lines_of(data: Any, most: int) -> Any:
    """The lines that a page sends, at most so many, or none yet."""
    return forms.formset_factory(
        LineForm, extra=0, min_num=1 if data else 0, validate_min=True, max_num=most, validate_max=True
    )(data, prefix="lines")
