"""users: the people who sign in, and their roles."""

from typing import Annotated, Any

import typer
from django_typer.management import command

from healthrecords.accounts import factors, matrix, people
from healthrecords.accounts.models import User
from healthrecords.cli import Group, Result, verb

Email = Annotated[str, typer.Argument(help="The person's e-mail address.")]


class Command(Group):
    help = "People: invite, list, disable, enable, unlock, change roles, reset the password and the second factor."

    @command()
    @verb(changes=True, rehearses=True)
    def invite(
        self,
        email: Email,
        name: Annotated[str, typer.Option(help="The person's name, as the trail shows it.")],
        role: Annotated[list[str], typer.Option(help="A role; may be repeated.")],
    ) -> Result:
        """Add a person and print their one-time enrolment link, alone on stdout."""
        return _linked(*people.invite(email, name, role, self.request))

    @command(name="list")
    @verb()
    def show(self) -> Result:
        """List the people, with their roles, second factors and last sign-in."""
        rows = [_row(person) for person in User.objects.prefetch_related("roles")]
        return Result(f"{len(rows)} people.", {"people": rows})

    @command()
    @verb(changes=True, rehearses=True)
    def disable(self, email: Email) -> Result:
        """Shut a person out at once."""
        done = people.disable(email, self.request)
        return Result(f"{email} is shut out." if done else f"{email} was shut out already.", {"changed": done})

    @command()
    @verb(changes=True, rehearses=True)
    def enable(self, email: Email) -> Result:
        """Let a person sign in again."""
        done = people.enable(email, self.request)
        return Result(f"{email} may sign in again." if done else f"{email} may sign in already.", {"changed": done})

    @command()
    @verb(changes=True, rehearses=True)
    def unlock(self, email: Email) -> Result:
        """Let a person who was locked out by wrong tries try again at once."""
        person = people.unlock(email, self.request)
        return Result(f"{person.email} may try again at once: wrong tries until now no longer count.")

    @command()
    @verb(changes=True, rehearses=True)
    def role(
        self,
        email: Email,
        add: Annotated[list[str], typer.Option(help="A role to give; may be repeated.")] = [],  # noqa: B006
        remove: Annotated[list[str], typer.Option(help="A role to take; may be repeated.")] = [],  # noqa: B006
    ) -> Result:
        """Give and take roles; without options, show them."""
        roles = people.change_roles(email, add, remove, self.request)
        return Result(f"{email} has the roles {', '.join(roles)}.", {"roles": roles})

    @command(name="reset-factor")
    @verb(changes=True, rehearses=True)
    def reset_factor(self, email: Email) -> Result:
        """Void a person's password, second factors and sessions; print a new enrolment link, alone on stdout."""
        return _linked(*people.reset_factor(email, self.request))

    @command(name="matrix")
    @verb()
    def show_matrix(self) -> Result:
        """Show what each role opens, as the access policy answers."""
        rows = [
            {"about": row.title, **{role.name: ", ".join(words) for role, words in row.cells}} for row in matrix.rows()
        ]
        return Result(f"{len(rows)} subjects.", {"matrix": rows})

    @command()
    @verb(changes=True)
    def first(
        self,
        demo: Annotated[bool, typer.Option(help="Give the roles that trying out needs, too.")] = False,
    ) -> Result:
        """While nobody can sign in yet, print a link for the first person, alone on stdout; else print nothing."""
        made = people.first(demo, self.request)
        return _linked(*made) if made else Result("Somebody can sign in already.", {"link": None}, alone="link")


def _linked(person: User, link: str) -> Result:
    summary = f"{person.name} can enrol with this link, once, within three days."
    return Result(summary, {"link": link, "person": _row(person)}, alone="link")


def _row(person: User) -> dict[str, Any]:
    return {
        "email": person.email,
        "name": person.name,
        "state": people.state(person),
        "factor": factors.state(person),
        "roles": [role.name for role in person.roles.all()],
        "last_sign_in": person.last_login,
    }
