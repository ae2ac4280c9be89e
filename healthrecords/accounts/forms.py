"""The forms of sign-in and enrolment."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.core.exceptions import ValidationError

from healthrecords.accounts import attempts, signing
from healthrecords.accounts.models import User
from healthrecords.accounts.people import FIRST_EMAIL


class SignInForm(AuthenticationForm):
    """E-mail and password; after too many attempts the password is not even looked at."""

    username = forms.EmailField(
        label="E-mail", widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"})
    )
    error_messages = {
        "invalid_login": "This e-mail address and password do not match, or the account may not sign in.",
        "inactive": "This e-mail address and password do not match, or the account may not sign in.",
        "too_many": "There were too many attempts; wait fifteen minutes and try again.",
    }

    def clean(self) -> dict[str, Any]:
        email, address = self.cleaned_data.get("username"), getattr(self.request, "client_address", "")
        if not email or not self.cleaned_data.get("password"):
            return self.cleaned_data
        if attempts.exhausted(email, address) and self.request:
            signing.refuse(self.request, User.objects.filter(email=email.lower()).first(), "too many attempts")
            raise ValidationError(self.error_messages["too_many"], code="too_many")
        cleaned = super().clean()
        attempts.forget(email, address)
        return cleaned


class EnrolmentForm(SetPasswordForm):
    """A first password; the first person also puts their own name and e-mail in place of the placeholders."""

    name = forms.CharField(label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label="Your e-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    field_order = ["name", "email", "new_password1", "new_password2"]

    def __init__(self, user: User, *args: Any, **options: Any) -> None:
        super().__init__(user, *args, **options)
        self.fields["new_password1"].label = "Password"
        self.fields["new_password2"].label = "The same password again"
        self.fields["new_password2"].help_text = ""
        if user.email != FIRST_EMAIL:
            del self.fields["name"], self.fields["email"]

    def clean_email(self) -> str:
        email = self.cleaned_data["email"].lower()
        if User.objects.filter(email=email).exclude(pk=self.user.pk).exists():
            raise ValidationError("Somebody else has this e-mail address.")
        return email

    def clean(self) -> dict[str, Any] | None:
        """Put name and e-mail on the person first, so that the password is compared with them."""
        for name in ("name", "email"):
            if name in self.cleaned_data:
                setattr(self.user, name, self.cleaned_data[name])
        return super().clean()
