"""The pages of sign-in, sign-out, enrolment and change of password."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.views import LoginView, ReauthenticateView
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LogoutView, PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from healthrecords import trail
from healthrecords.access.request import actor_of_user
from healthrecords.accounts import sessions, signing
from healthrecords.accounts.adapters import BACKEND
from healthrecords.accounts.forms import EnrolmentForm, SignInForm
from healthrecords.accounts.models import EnrolmentLink, User
from healthrecords.accounts.signing import about, asked

HOME = "admin:index"


class SignIn(LoginView):
    """Sign-in by e-mail and password; whoever is signed in already goes on to the admin."""

    template_name = "accounts/sign_in.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        provider = settings.OIDC_NAME if settings.OIDC_ISSUER else ""
        return {**super().get_context_data(**kwargs), "provider": provider}

    @transaction.atomic
    def form_valid(self, form: SignInForm) -> HttpResponse:
        """Sign in together with the row that says so (healthrecords.accounts.signing), or not at all."""
        return super().form_valid(form)


class SignOut(LogoutView):
    """Sign-out, by POST alone."""


class ConfirmPassword(ReauthenticateView):
    """Step-up by password, while a person has no second factor."""

    template_name = "accounts/confirm.html"

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        return super().form_valid(form)


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class Enrol(View):
    """The page behind a one-time link: shows whom it is for, sets a password, signs in, voids the link."""

    @transaction.atomic
    def get(self, request: HttpRequest, secret: str) -> HttpResponse:
        link = _found(request, secret)
        return _page(request, EnrolmentForm(link.user)) if link else _gone(request)

    @transaction.atomic
    def post(self, request: HttpRequest, secret: str) -> HttpResponse:
        link = _found(request, secret)
        if link is None:
            return _gone(request)
        form = EnrolmentForm(link.user, request.POST)
        return _enrol(request, link, form) if form.is_valid() else _page(request, form)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class ChangePassword(PasswordChangeView):
    """A new password for whoever is signed in; their other sessions end."""

    form_class = PasswordChangeForm
    template_name = "accounts/password.html"

    def get_success_url(self) -> str:
        return reverse(HOME)

    @transaction.atomic
    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        person: Any = self.request.user
        request = asked(self.request, actor_of_user(person), "update")
        trail.record(request, [about("update", person, detail="password changed")])
        response = super().form_valid(form)
        sessions.end(person, but=self.request.session.session_key)
        return response


def _found(request: HttpRequest, secret: str) -> EnrolmentLink | None:
    """The link of a secret, which is a guess until it is found."""
    signing.guess(request, "enrolment link", "")
    if link := EnrolmentLink.find(secret):
        signing.right(request, "enrolment link", "")
    return link


def _enrol(request: HttpRequest, link: EnrolmentLink, form: EnrolmentForm) -> HttpResponseRedirect:
    person: User = form.save()
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
    trail.record(asked(request, actor_of_user(person), "enrolment"), [about("enrolment", person)])
    login(request, person, BACKEND)
    record_authentication(request, person, "password")
    return redirect("accounts:factor")


def _page(request: HttpRequest, form: EnrolmentForm) -> HttpResponse:
    """The link stands in the address, which no request tells then; `no-referrer` would make the browser's POST fail."""
    response = render(request, "accounts/enrol.html", {"form": form, "first": "email" in form.fields})
    response["Referrer-Policy"] = "strict-origin"
    return response


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/gone.html", status=410)
