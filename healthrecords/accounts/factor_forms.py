"""The forms of second factors. Each try is counted before it is looked at (healthrecords.accounts.attempts)."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.core.exceptions import ValidationError

from healthrecords.accounts import codes
from healthrecords.accounts.guards import guarded

CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "maxlength": 20}


class _Code(base.BaseAuthenticateForm):
    """A code of the authenticator app or a recovery code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget = forms.TextInput(attrs=CODE)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        with guarded(self.user, "second factor"):
            found = codes.check(self.user, code)
            if found is None:
                raise get_adapter().validation_error("incorrect_code")
        found.user = self.user
        self.authenticator = found
        return code


class CodeForm(_Code, base.AuthenticateForm):
    """At sign-in."""


class ConfirmCodeForm(_Code, base.ReauthenticateForm):
    """At a step-up."""


class _Passkey(webauthn.AuthenticateWebAuthnForm):
    def clean_credential(self) -> Authenticator:
        with guarded(self.user, "passkey"):
            return super().clean_credential()


class PasskeyForm(_Passkey):
    """At sign-in."""


class ConfirmPasskeyForm(_Passkey, webauthn.ReauthenticateWebAuthnForm):
    """At a step-up."""


class AddAppForm(ActivateTOTPForm):
    """The first code of a new authenticator app; it proves that the secret arrived."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code that the app shows"
        self.fields["code"].widget = forms.TextInput(attrs=CODE)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        with guarded(self.user, "new authenticator app"):
            if codes.matching(self.secret, code.replace(" ", "")) is None:
                raise ValidationError("This is not the code that the app shows now; try the next one.")
        return code
