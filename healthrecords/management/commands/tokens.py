"""tokens: the API tokens of programs that use the FHIR API."""

from typing import Annotated, Any

import typer
from django_typer.management import command

from healthrecords.accounts import tokens
from healthrecords.accounts.models import ApiToken
from healthrecords.cli import Group, Result, counted, verb

Days = Annotated[int, typer.Option(help=f"How long the token lives, 1 to {tokens.LONGEST} days.")]


class Command(Group):
    help = "API tokens: create, list, rotate, revoke."

    @command()
    @verb(changes=True, rehearses=True)
    def create(
        self,
        name: Annotated[str, typer.Argument(help="What the token is for, such as lab-interface.")],
        role: Annotated[str, typer.Option(help="The one role that the token has.")],
        purpose: Annotated[str, typer.Option(help="Purposes of use, comma-separated; the first is the default.")] = "",
        days: Days = 90,
    ) -> Result:
        """Create a token and print it, once, alone on stdout."""
        purposes = [code.strip() for code in purpose.split(",") if code.strip()]
        return _made(*tokens.issue(name, role, purposes, days, self.request))

    @command(name="list")
    @verb()
    def show(self) -> Result:
        """List the tokens, newest first; their secrets are not kept."""
        rows = [_row(token) for token in ApiToken.objects.select_related("role")]
        live = sum(row["state"] == "live" for row in rows)
        return Result(f"{counted(len(rows), 'token')}, {live} of them live.", {"tokens": rows})

    @command()
    @verb(changes=True, rehearses=True)
    def rotate(self, name: str, days: Days = 90) -> Result:
        """Print a successor of a live token; both live until the older one is revoked."""
        return _made(*tokens.rotate(name, days, self.request))

    @command()
    @verb(changes=True, rehearses=True)
    def revoke(self, name: Annotated[str, typer.Argument(help="A name, or the prefix of one token.")]) -> Result:
        """Revoke all tokens of a name, or one by its prefix; they stop working at once."""
        revoked = tokens.revoke(name, self.request)
        prefixes = [token.prefix for token in revoked]
        return Result(
            f"Revoked {counted(len(prefixes), 'token')} of {name}." if prefixes else f"{name} was revoked already.",
            {"revoked": prefixes},
        )


def _made(token: ApiToken, text: str) -> Result:
    summary = (
        f"Token {token.name} ({token.prefix}) with the role {token.role_id} lives until "
        f"{token.expires_at:%Y-%m-%d %H:%M} UTC; it is shown only now."
    )
    return Result(summary, {"token": text, "details": _row(token)}, alone="token")


def _row(token: ApiToken) -> dict[str, Any]:
    return {
        "name": token.name,
        "prefix": token.prefix,
        "state": tokens.state(token),
        "role": token.role_id,
        "purposes": token.purposes,
        "created": token.created_at,
        "expires": token.expires_at,
        "last_used": token.last_used_at,
    }
