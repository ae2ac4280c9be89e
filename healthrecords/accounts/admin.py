"""The administrator's screens: people, roles, API tokens. What is done here runs the same functions as the commands."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminTextInputWidget,
)

from healthrecords.access.request import LETTERS
from healthrecords.accounts import factors, matrix, people, sessions, signing, stepup, tokens
from healthrecords.accounts.models import ApiToken, Role, Session, User
from healthrecords.console.lines import Flag, Line
from healthrecords.console.policy_admin import PolicyAdmin

STATES = {"active": "Active", "invited": "Invited", "disabled": "Disabled"}
WORDS = {LETTERS[interaction]: word for interaction, word in matrix.WORDS.items()}
_TIME = "%Y-%m-%d %H:%M"


def _roles_field() -> forms.MultipleChoiceField:
    choices = [(role.name, role.title) for role in Role.objects.all()]
    widget = UnfoldAdminCheckboxSelectMultipleWidget
    return forms.MultipleChoiceField(label="Roles", choices=choices, widget=widget)


class RolesForm(forms.Form):
    """Which roles a person holds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"] = _roles_field()


class InvitationForm(RolesForm):
    """Who is to come in, with which roles."""

    name = forms.CharField(label="Name", max_length=200, widget=UnfoldAdminTextInputWidget)
    email = forms.EmailField(label="E-mail", max_length=254, widget=UnfoldAdminEmailInputWidget)


@admin.register(User)
class UserAdmin(PolicyAdmin):
    """People: who may sign in, with which roles."""

    subject = "User"
    list_title = "People"
    add_words = "Invite a person"
    page_template = "console/person.html"
    list_display = ["title", "email", "held", "state"]
    search_fields = ["name"]
    search_help_text = "Name or e-mail"
    sortable_by = ["title", "email"]
    ordering = ["name", "uuid"]

    def screens(self) -> dict[str, tuple[str, Any]]:
        shared = super().screens()
        return {"changelist": shared["changelist"], "add": ("add/", self.add_view), "page": shared["page"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("roles")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        text = search_term.strip()
        return (queryset.filter(name__icontains=text) | queryset.filter(email__icontains=text)), False

    @display(description="Name", ordering="name")
    def title(self, person: User) -> str:
        return person.name

    @display(description="E-mail", ordering="email")
    def email(self, person: User) -> str:
        return person.email

    @display(description="Roles")
    def held(self, person: User) -> str:
        return ", ".join(role.title for role in person.roles.all())

    @display(description="State")
    def state(self, person: User) -> str:
        return STATES[people.state(person)]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponseBase:
        """Invite a person; the enrolment link shows once."""
        self.require(request, "create")
        if asked := stepup.ask(request):
            return asked
        form = InvitationForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            said = form.cleaned_data
            try:
                person, link = people.invite(said["email"], said["name"], said["roles"], self.asked(request, "create"))
            except ValidationError as fault:
                form.add_error(None, fault)
            else:
                return self._with_link(request, person, link)
        context = {**self.admin_site.each_context(request), "title": "Invite a person", "form": form}
        context |= {"action": "Invite", "list_address": self.address("changelist")}
        return TemplateResponse(request, "console/short_form.html", context)

    def page_view(self, request: HttpRequest, object_id: str) -> Any:
        """Show a person; by POST, change what they may do."""
        if request.method != "POST":
            return super().page_view(request, object_id)
        self.require(request, "update", object_id)
        person = self.found(request, object_id)
        if asked := stepup.ask(request):
            return asked
        try:
            with transaction.atomic():
                return self._change(request, person) or HttpResponseRedirect(self.address("page", person.pk))
        except ValidationError as fault:
            messages.error(request, " ".join(fault.messages))
            return HttpResponseRedirect(self.address("page", person.pk))

    def page_context(self, request: HttpRequest, record: User) -> dict[str, Any]:
        lines = [
            Line("E-mail", record.email),
            Line("Roles", self.held(record)),
            Line("State", self.state(record)),
            Line("Second factor", factors.state(record).capitalize()),
            Line("Last sign-in", record.last_login.strftime(_TIME) if record.last_login else "Never"),
            Line("Known since", record.created_at.strftime(_TIME)),
        ]
        open_now = [_session_line(each) for each in sessions.live(record)]
        held = [role.name for role in record.roles.all()]
        may_change = self.permits(request, "update")
        return {
            "sections": [("Person", lines), *([("Sessions", open_now)] if open_now else [])],
            "open_sessions": len(open_now),
            "state": people.state(record),
            "roles_form": RolesForm(initial={"roles": held}) if may_change else None,
        }

    def _change(self, request: HttpRequest, person: User) -> HttpResponse | None:
        by, wanted = self.asked(request, "update"), request.POST.get("do", "")
        if wanted == "link":
            return self._with_link(request, *people.reset_factor(person.email, by))
        if wanted == "roles":
            self._change_roles(request, person)
        elif wanted == "sessions":
            ended = sessions.end(person, but=self._own(request, person))
            signing.record(request, person, "session-ended", f"{ended} sessions")
            messages.success(request, f"Sessions ended: {ended}.")
        elif wanted == "unlock":
            people.unlock(person.email, by)
            messages.success(request, "They may try again at once.")
        elif wanted in ("enable", "disable"):
            act: Callable[..., bool] = people.enable if wanted == "enable" else people.disable
            act(person.email, by)
            messages.success(request, "This person may sign in again." if wanted == "enable" else "Shut out.")
        return None

    def _change_roles(self, request: HttpRequest, person: User) -> None:
        form = RolesForm(request.POST)
        if not form.is_valid():
            raise ValidationError("A person keeps at least one role.")
        chosen, held = set(form.cleaned_data["roles"]), {role.name for role in person.roles.all()}
        by, keep = self.asked(request, "update"), self._own(request, person)
        people.change_roles(person.email, chosen - held, held - chosen, by, keep)
        messages.success(request, "The roles were saved.")

    def _own(self, request: HttpRequest, person: User) -> str | None:
        """The session in use, where somebody changes their own account."""
        return request.session.session_key if person == request.user else None

    def _with_link(self, request: HttpRequest, person: User, link: str) -> HttpResponse:
        """The one page that shows an enrolment link."""
        answer = self.page(request, "console/link.html", person, {"link": link, "title": "Enrolment link"})
        answer["Referrer-Policy"] = "no-referrer"
        return answer


def _session_line(each: Session) -> Line:
    times = f"since {each.started_at:{_TIME}}, last seen {each.seen_at:{_TIME}}"
    return Line(each.browser or "Unknown", each.address, times)


@admin.register(Role)
class RoleAdmin(PolicyAdmin):
    """Roles, to read: what each opens."""

    subject = "User"
    list_display = ["title", "opens", "people"]

    def screens(self) -> dict[str, tuple[str, Any]]:
        return {"matrix": ("matrix/", self.matrix_view), **super().screens()}

    def matrix_view(self, request: HttpRequest) -> HttpResponse:
        """What each role opens, asked of the policy."""
        self.require(request, "search")
        said = {"title": "Access matrix", "roles": Role.objects.all(), "rows": matrix.rows()}
        return TemplateResponse(request, "console/matrix.html", {**self.admin_site.each_context(request), **said})

    @display(description="Role")
    def title(self, role: Role) -> str:
        return role.title

    @display(description="Opens")
    def opens(self, role: Role) -> str:
        return ", ".join(matrix.title(subject) for subject in role.permissions) or "Nothing in the admin"

    @display(description="People")
    def people(self, role: Role) -> str:
        return str(role.people.filter(is_active=True).count())

    def page_context(self, request: HttpRequest, record: Role) -> dict[str, Any]:
        opened = [
            Line(matrix.title(subject), ", ".join(WORDS[letter] for letter in letters))
            for subject, letters in record.permissions.items()
        ]
        holders = [Line(person.name, person.email) for person in record.people.filter(is_active=True)]
        sections = [("Opens", opened), ("Purposes of use", [Line("Codes", ", ".join(record.purposes))])]
        return {"sections": [*sections, ("Held by", holders)]}


@admin.register(ApiToken)
class ApiTokenAdmin(PolicyAdmin):
    """API tokens: whose they are, until when they live; one can be revoked here. The command makes them."""

    subject = "User"
    page_template = "console/token.html"
    list_display = ["title", "role_title", "expires", "used"]
    ordering = ["-created_at", "uuid"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("role")

    @display(description="Name")
    def title(self, token: ApiToken) -> str:
        return str(token)

    @display(description="Role")
    def role_title(self, token: ApiToken) -> str:
        return token.role.title

    @display(description="Expires")
    def expires(self, token: ApiToken) -> str:
        return token.expires_at.strftime(_TIME)

    @display(description="Last used")
    def used(self, token: ApiToken) -> str:
        return token.last_used_at.strftime(_TIME) if token.last_used_at else "Never"

    def row_flags(self, record: ApiToken) -> list[Flag]:
        state = tokens.state(record)
        return [] if state == "live" else [Flag(state.capitalize())]

    def page_view(self, request: HttpRequest, object_id: str) -> Any:
        """Show a token; by POST, revoke it."""
        if request.method != "POST":
            return super().page_view(request, object_id)
        self.require(request, "update", object_id)
        token = self.found(request, object_id)
        if asked := stepup.ask(request):
            return asked
        tokens.revoke(token.prefix, self.asked(request, "update"))
        messages.success(request, "The token was revoked.")
        return HttpResponseRedirect(self.address("page", token.pk))

    def page_context(self, request: HttpRequest, record: ApiToken) -> dict[str, Any]:
        state = tokens.state(record)
        lines = [
            Line("State", state.capitalize()),
            Line("Begins with", f"hrt_{record.prefix}"),
            Line("Role", record.role.title),
            Line("Purposes of use", ", ".join(record.purposes)),
            Line("Made", record.created_at.strftime(_TIME)),
            Line("Expires", self.expires(record)),
            Line("Last used", self.used(record)),
        ]
        return {"sections": [("Token", lines)], "may_revoke": state == "live" and self.permits(request, "update")}
