"""The pages of second factors: give one at sign-in, confirm it again, add and remove them, recovery codes.

They are django-allauth's views with our templates; each does its work and writes its rows in one transaction.
"""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.base.views import AuthenticateView, ReauthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, ReauthenticateWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django.views.generic import TemplateView

from healthrecords.accounts import enforcement, factors, sessions
from healthrecords.oauth import authorizations, words

whole = method_decorator(transaction.atomic, name="post")
unkept = method_decorator(never_cache, name="dispatch")


@whole
class GiveFactor(AuthenticateView):
    """The second step of sign-in: a code, a passkey or a recovery code."""

    template_name = "accounts/give_factor.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kinds = {each.type for each in factors.of(self.stage.login.user)}
        app, passkey = factors.KIND.TOTP in kinds, factors.KIND.WEBAUTHN in kinds
        return {**super().get_context_data(**kwargs), "app": app, "passkey": passkey}


@whole
class ConfirmCode(ReauthenticateView):
    """Step-up by a code."""

    template_name = "accounts/confirm.html"


@whole
class ConfirmPasskey(ReauthenticateWebAuthnView):
    """Step-up by a passkey."""

    template_name = "accounts/confirm_passkey.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form))


class ChooseFactor(LoginRequiredMixin, TemplateView):
    """Which kind of second factor to enrol; in a demo directory it may be put off."""

    template_name = "accounts/choose_factor.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        possible = {"passkeys": factors.passkeys_work(self.request), "later": enforcement.may_put_off(self.request)}
        return {**super().get_context_data(**kwargs), **possible}


@require_POST
@login_required
def later(request: HttpRequest) -> HttpResponse:
    """Put enrolment off for this session, where that is allowed."""
    if not enforcement.may_put_off(request):
        raise PermissionDenied("A second factor can be put off only in a demo directory.")
    request.session[enforcement.PUT_OFF] = True
    return redirect("admin:index")


class _Adds:
    """A new factor was proved by adding it; then come the recovery codes, or the list of factors."""

    request: HttpRequest

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
            person: Any = self.request.user
            newest: Any = factors.of(person).last()
            record_authentication(self.request, person, "mfa", type=newest.type, id=newest.pk)
        return response


@unkept
class AddApp(_Adds, ActivateTOTPView):
    """A QR code for an authenticator app, and the first code of it."""

    template_name = "accounts/add_app.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the secret in groups of four, to type where no camera is."""
        context = super().get_context_data(**kwargs)
        secret = context["form"].secret
        return {**context, "groups": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))}


@unkept
class AddPasskey(_Adds, AddWebAuthnView):
    """A passkey, made by the browser."""

    template_name = "accounts/add_passkey.html"


@whole
class RemoveApp(DeactivateTOTPView):
    """Remove the authenticator app, if another factor is left."""

    template_name = "accounts/remove_app.html"


@whole
class RemovePasskey(RemoveWebAuthnView):
    """Remove a passkey, if another factor is left."""

    template_name = "accounts/remove_passkey.html"

    def get_success_url(self) -> str:
        return reverse("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        factor: Authenticator = self.get_object()
        if factors.may_remove(factor):
            return super().form_valid(form)
        messages.error(self.request, "This is your only second factor; add another one first.")
        return HttpResponseRedirect(reverse("mfa_index"))


@unkept
class RecoveryCodes(ViewRecoveryCodesView):
    """The recovery codes that are unused, to print or to keep as a file."""

    template_name = "accounts/recovery_codes.html"


@whole
class NewRecoveryCodes(GenerateRecoveryCodesView):
    """New recovery codes; those before are void."""

    template_name = "accounts/new_codes.html"


@unkept
class Security(LoginRequiredMixin, TemplateView):
    """A person's own second factors and sessions."""

    template_name = "accounts/security.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person: Any = self.request.user
        said = {
            "factors": [(each, factors.NAMES[factors.KIND(each.type)]) for each in factors.of(person)],
            "has_app": factors.of(person).filter(type=factors.KIND.TOTP).exists(),
            "codes_left": factors.codes_left(person),
            "passkeys": factors.passkeys_work(self.request),
            "sessions": [(each, sessions.number(each)) for each in sessions.live(person)],
            "here": self.request.session.session_key,
            "apps": [(each, words.described(each.scope.split())) for each in authorizations.live(person)],
        }
        return {**super().get_context_data(**kwargs), **said}
