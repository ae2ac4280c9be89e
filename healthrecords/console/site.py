"""The one admin site: staff sign in by the accounts' own page, and each screen asks the access policy."""

from functools import update_wrapper
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, include, path, re_path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.generic import RedirectView
from unfold.sites import UnfoldAdminSite

from healthrecords.console import glances, minutes, navigation, notices
from healthrecords.console.autocomplete import PickList


class ConsoleSite(UnfoldAdminSite):
    """The admin under its own title; every view runs through `recorded`."""

    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """Whoever is signed in gets in; what opens is decided by each screen, which asks the policy."""
        return bool(request.user.is_active)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Wrap a view: sign-in, CSRF protection, one transaction with its rows in the trail."""

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return minutes.recorded(view)(request, *args, **kwargs)

        return self.streaming_view(update_wrapper(inner, view), cacheable)

    def streaming_view(self, view: Any, cacheable: bool = False) -> Any:
        """Wrap a view in sign-in and CSRF protection alone: it takes a long body first, and runs `recorded` itself."""

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_permission(request):
                minutes.record_failure(request, 403)
                return redirect_to_login(request.get_full_path(), _sign_in(request))
            answer: HttpResponseBase = view(request, *args, **kwargs)
            return answer

        return update_wrapper(csrf_protect(inner if cacheable else never_cache(inner)), view)

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take only screens that ask the access policy; Django's own for groups do not."""
        from healthrecords.console.policy_admin import PolicyAdmin

        if admin_class is not None and issubclass(admin_class, PolicyAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Only the addresses that the console has a use for: what is not routed needs no guard."""
        return [
            path("", self.admin_view(self.index), name="index"),
            path("login/", RedirectView.as_view(pattern_name="account_login", query_string=True), name="login"),
            path("autocomplete/", self.admin_view(self.autocomplete_view), name="autocomplete"),
            path("jsi18n/", self.i18n_javascript, name="jsi18n"),
            *(self._of_model(model, screen) for model, screen in self._registry.items()),
            re_path(r"(?P<url>.*)$", self.admin_view(self.catch_all_view)),
        ]

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a pick list's search."""
        return PickList.as_view(admin_site=self)(request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The home page: how things are, and what this person may do here."""
        person: Any = request.user
        roles = ", ".join(role.title for role in person.role_list)
        shown = {"groups": navigation.groups(request), "glances": glances.glances_for(request)}
        context = {**self.each_context(request), "title": "Home", "roles": roles, **shown}
        return TemplateResponse(request, "console/home.html", {**context, **(extra_context or {})})

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page is given: also what it says first."""
        return {**super().each_context(request), "notices": notices.notices_for(request)}

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The screens that are open to this person."""
        return navigation.groups(request)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """None: the sidebar names the screens."""
        return []

    def get_log_entries(self, request: HttpRequest) -> Any:
        """None: Django's own log would keep names of patients."""
        return ()

    def _of_model(self, model: type[Model], screen: Any) -> URLResolver:
        return path(f"{model._meta.app_label}/{model._meta.model_name}/", include(screen.urls))


def _sign_in(request: HttpRequest) -> str:
    """The sign-in page; it says so when a form was sent that is lost, because the session had ended."""
    return reverse("account_login") + ("" if request.method in ("GET", "HEAD") else "?ended=1")
