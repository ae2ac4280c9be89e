"""What django-allauth asks us: who may come in, what counts as fresh, where secrets are kept."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from healthrecords.accounts import factors, stepup
from healthrecords.accounts.models import FactorSecret

BACKEND = "django.contrib.auth.backends.ModelBackend"


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up; an administrator invites."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "E-mail address and password do not match, or the account may not sign in.",  # nosec B105
        "incorrect_password": "This is not your password.",  # nosec B105
        "too_many_login_attempts": "There were too many attempts; wait fifteen minutes and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def login(self, request: HttpRequest, user: Any) -> None:
        user.backend = BACKEND
        login(request, user)

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        return redirect("account_login")

    def reauthenticate(self, user: Any, password: str) -> bool:
        return bool(user.check_password(password))

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not stepup.fresh(context.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, str]]:
        """The ways to prove again who it is: a second factor, or the password while there is none."""
        kinds = {each.type for each in factors.of(user)}
        if not kinds and user.provider_subject and settings.OIDC_ISSUER:
            return [_way("accounts:sso", "Sign in at your provider again")]
        if not kinds:
            return [_way("account_reauthenticate", "Use your password")]
        words = "Use a code of the authenticator app" if factors.KIND.TOTP in kinds else "Use a recovery code"
        app = _way("mfa_reauthenticate", words)
        passkey = _way("mfa_reauthenticate_webauthn", "Use a passkey")
        if factors.KIND.WEBAUTHN not in kinds:
            return [app]
        return [app, passkey] if factors.KIND.TOTP in kinds else [passkey, app]

    def is_safe_url(self, url: str | None) -> bool:
        """Only addresses of the host that was asked."""
        http = context.request
        return url_has_allowed_host_and_scheme(url, {http.get_host()}, require_https=http.is_secure())

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        """Only what is said in words; the pages themselves tell of success."""
        if kwargs.get("message"):
            super().add_message(request, level, *args, **kwargs)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """None: the trail tells of changes."""


class FactorAdapter(DefaultMFAAdapter):
    """Second factors, with their secrets sealed."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This code is not right, or was used already. A new one comes every 30 seconds.",
        "cannot_delete_authenticator": "This is your only second factor; add another one first.",
    }

    def encrypt(self, text: str) -> str:
        return str(FactorSecret.objects.create(secret=text).pk)

    def decrypt(self, encrypted_text: str) -> str:
        return str(FactorSecret.objects.get(pk=encrypted_text).secret)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return factors.may_remove(authenticator)

    def get_totp_issuer(self) -> str:
        return settings.ORGANIZATION_NAME

    def build_totp_svg(self, url: str) -> str:
        """The QR code as inline SVG."""
        from qrcode import QRCode
        from qrcode.image.svg import SvgPathImage

        code = QRCode(border=2)
        code.add_data(url)
        return str(code.make_image(image_factory=SvgPathImage).to_string(encoding="unicode"))

    def _get_site_name(self) -> str:
        return str(settings.ORGANIZATION_NAME)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"


def _way(name: str, words: str) -> dict[str, str]:
    return {"id": name, "description": words, "url": reverse(name)}
