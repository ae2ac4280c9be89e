"""notify: whom notices go to, and what became of them."""

import sys
from getpass import getpass
from typing import Annotated, Any

import typer
from django_typer.management import command

from healthrecords.cli import Group, Result, counted, verb
from healthrecords.notify import channels, delivering
from healthrecords.notify.models import Channel, Delivery, Severity, State

Name = Annotated[str, typer.Argument(help="Name of a channel.")]
NEWEST = 20  # deliveries that are listed


class Command(Group):
    help = "Notices to people: channels, tests, what was delivered."

    @command(name="list")
    @verb()
    def show(self) -> Result:
        """List the channels with what each is told, and the latest deliveries."""
        ways = [_channel(each) for each in Channel.objects.prefetch_related("routes")]
        latest = Delivery.objects.select_related("notice", "channel").order_by("-uuid")[:NEWEST]
        waiting, failed = (Delivery.objects.filter(state=state).count() for state in (State.WAITING, State.FAILED))
        summary = f"{counted(len(ways), 'channel')}; {waiting} waiting, {failed} given up."
        data = {"channels": ways, "deliveries": [_delivery(each) for each in latest]}
        return Result(summary, {**data, "waiting": waiting, "failed": failed})

    @command()
    @verb(changes=True)
    def add(
        self,
        name: Name,
        severity: Annotated[str, typer.Option(help="Severities, comma-separated.")] = "critical,warning",
        event: Annotated[str, typer.Option(help="Only events that begin with this word.")] = "",
    ) -> Result:
        """Add a channel; its address is read from standard input, so that it stands in no history of the shell."""
        wanted = [each.strip() for each in severity.split(",") if each.strip()]
        made = channels.add(name, _address(), wanted, event, self.request)
        return Result(f"{made.name} leads to {made.service}; notify test {made.name} sends a test.", _channel(made))

    @command()
    @verb(changes=True)
    def test(self, name: Name) -> Result:
        """Send a test through a channel now, and say whether it was taken."""
        done = channels.test_now(channels.named(name), self.request)
        if done.state == State.SENT:
            return Result(f"{name} took the test.", {"delivery": _delivery(done)})
        return Result(f"{name} did not take the test: {done.reason}", {"delivery": _delivery(done)}, "problem")

    @command()
    @verb(changes=True)
    def enable(self, name: Name) -> Result:
        """Use a channel again."""
        changed = channels.enable(channels.named(name), self.request)
        return Result(f"{name} is in use{'' if changed else ' already'}.")

    @command()
    @verb(changes=True)
    def disable(self, name: Name) -> Result:
        """Use a channel no longer, and give up what waits for it."""
        changed = channels.disable(channels.named(name), self.request)
        return Result(f"{name} is disabled{'' if changed else ' already'}.")

    @command()
    @verb(changes=True)
    def send(self) -> Result:
        """Send what waits, as the worker does each minute."""
        sent, failed = delivering.send_waiting()
        text = f"{counted(sent, 'message')} sent; {counted(failed, 'channel')} did not take one."
        return Result(text, {"sent": sent, "failed": failed}, "problem" if failed else "good")


def _address() -> str:
    return (getpass("Address: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()


def _channel(channel: Channel) -> dict[str, Any]:
    told = [str(route) for route in channel.routes.all()]
    return {"channel": channel.name, "leads_to": channel.service, "told": told, "enabled": channel.enabled}


def _delivery(each: Delivery) -> dict[str, Any]:
    return {
        "told": each.notice.told_at, "notice": each.notice.summary, "severity": Severity(each.notice.severity).value,
        "channel": each.channel_name, "state": each.state, "tries": each.tries, "reason": each.reason,
    }  # fmt: skip
