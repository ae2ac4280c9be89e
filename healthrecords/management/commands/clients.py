"""clients: programs and apps that use the FHIR API by OAuth 2 (SMART)."""

from typing import Annotated, Any

import typer
from django_typer.management import command

from healthrecords.cli import Group, Result, counted, verb
from healthrecords.oauth import clients, keysets
from healthrecords.oauth.models import Client

Named = Annotated[str, typer.Argument(help="The name or the id of the client.")]
Keys = Annotated[str, typer.Option(help="The file or the https:// address of its JSON Web Key Set (public keys).")]


class Command(Group):
    help = "Clients of the OAuth 2 server: register, list, rotate, disable, enable."

    @command()
    @verb(changes=True, rehearses=True)
    def register(  # noqa: PLR0917  a command's options
        self,
        name: Annotated[str, typer.Argument(help="What people know it by, such as Lab interface.")],
        scope: Annotated[str, typer.Option(help='The most that it may be given, such as "system/Patient.rs".')],
        jwks: Keys = "",
        role: Annotated[str, typer.Option(help=f"The role of a backend ({clients.ROLE} unless named).")] = "",
        purpose: Annotated[str, typer.Option(help="Purposes of use of a backend, comma-separated.")] = "",
        redirect_uri: Annotated[
            list[str] | None, typer.Option(help="For an app: where people return to; may be given more than once.")
        ] = None,
        launch_url: Annotated[str, typer.Option(help="For an app: where it is opened for a patient.")] = "",
    ) -> Result:
        """Register a client and print its id, alone on stdout: a backend, or an app with --redirect-uri."""
        purposes = [code.strip() for code in purpose.split(",") if code.strip()]
        client = clients.register(
            name, scope, self.request, jwks=jwks, redirect_uris=tuple(redirect_uri or ()), launch_url=launch_url,
            role_name=role, purposes=purposes,
        )  # fmt: skip
        summary = f"Client {client.name} may ask for {client.scope}; the line on stdout is its id."
        return Result(summary, {"client_id": client.client_id, "details": _row(client)}, alone="client_id")

    @command(name="list")
    @verb()
    def show(self) -> Result:
        """List the clients by name."""
        rows = [_row(client) for client in Client.objects.all()]
        enabled = sum(row["state"] == "enabled" for row in rows)
        shown = ("name", "client_id", "kind", "state", "role", "scope", "last_used")
        return Result(
            f"{counted(len(rows), 'client')}, {enabled} of them enabled.", {"clients": rows}, columns={"clients": shown}
        )

    @command()
    @verb(changes=True, rehearses=True)
    def rotate(self, client: Named, jwks: Keys) -> Result:
        """Take another key set for a client; keys that it lacks stop working at once."""
        found = clients.rotate(client, jwks, self.request)
        return Result(f"{found.name} has {counted(len(found.jwks['keys']), 'key')} now.", {"details": _row(found)})

    @command()
    @verb(changes=True, rehearses=True)
    def disable(self, client: Named) -> Result:
        """Shut a client out; its tokens stop working at once."""
        done = clients.disable(client, self.request)
        return Result(f"{client} is disabled." if done else f"{client} was disabled already.")

    @command()
    @verb(changes=True, rehearses=True)
    def enable(self, client: Named) -> Result:
        """Let a disabled client ask for tokens again."""
        done = clients.enable(client, self.request)
        return Result(f"{client} is enabled." if done else f"{client} was enabled already.")


def _row(client: Client) -> dict[str, Any]:
    return {
        "name": client.name,
        "client_id": client.client_id,
        "kind": "backend" if client.is_backend else f"app, {client.client_type}",
        "state": "disabled" if client.disabled_at else "enabled",
        "role": client.role_id,
        "purposes": client.purposes,
        "scope": client.scope,
        "redirect_uris": client.redirect_uris.split(),
        "launch_url": client.launch_url,
        "keys": list(keysets.thumbprints(client)),
        "keys_from": client.jwks_url,
        "registered": client.created,
        "last_used": client.last_used_at,
    }
