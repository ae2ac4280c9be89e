"""The forms of sign-in and enrolment."""

from typing import Any

from allauth.account.forms import LoginForm, ReauthenticateForm
from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.core.exceptions import ValidationError

from healthrecords.accounts import signing
from healthrecords.accounts.guards import guarded
from healthrecords.accounts.models import User
from healthrecords.accounts.people import FIRST_EMAIL


class SignInForm(LoginForm):
    """E-mail and password; after too many attempts (TooMany) the password is not even looked at."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        email = forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"})
        self.fields["login"] = forms.EmailField(label="E-mail", widget=email)
        self.fields["password"] = _password_field()
        self.order_fields(["login", "password"])

    def clean(self) -> dict[str, Any]:
        email = self.cleaned_data.get("login")
        if not email or not self.cleaned_data.get("password"):
            return self.cleaned_data
        person = User.objects.filter(email=email.lower()).first()
        signing.guess(self.request, "password", email, person)
        cleaned: dict[str, Any] = super().clean()
        signing.right(self.request, "password", email, person)
        return cleaned


class ConfirmPasswordForm(ReauthenticateForm):
    """The password of somebody who is signed in and has no second factor yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"] = _password_field(autofocus=True)

    def clean_password(self) -> str:
        with guarded(self.user, "password"):
            return str(super().clean_password())


def _password_field(**attrs: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "current-password", **attrs})
    return forms.CharField(label="Password", strip=False, widget=widget)


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
