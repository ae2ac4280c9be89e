"""The program that sends one message, in a process of its own: `python -m healthrecords.notify.sender`.

A process, so that whatever a service does ends with it: one that hangs is killed, one that leads elsewhere is stopped.
Python's audit hook is asked before each connection, of whichever library: it sees the very address that is connected
to, so that neither a redirect nor DNS which answers differently the second time (rebinding) leads inside. Nothing of
the server is in its environment, and it starts no program.

Reads one JSON object on stdin: `permitted`, pairs of address and port; and either `mail` (host, port, user, password,
tls, sender, recipients, text) or `url` (for apprise; public addresses are open on port 443, too) with `title`, `body`
and `severity`. Writes `reason`, which is empty when the message was taken, and `note`, what is to be known even so.
"""

import json
import logging
import smtplib
import ssl
import sys
from ipaddress import ip_address
from typing import Any

from healthrecords.outgoing import is_public

SECONDS = 15  # of one step of a conversation; the parent has a limit for all of them
STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn")
TYPES = {"critical": "failure", "warning": "warning", "info": "info"}


class Fence:
    """What is asked before each connection. `refused` is the first that was not permitted."""

    def __init__(self, permitted: list[tuple[str, int]], public: bool) -> None:
        self.permitted, self.public, self.refused = permitted, public, ""

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """Raise PermissionError for a connection that is not permitted, and for starting a program."""
        if event in STARTS:
            raise PermissionError(f"{event} is not permitted here")
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg") and not self._is_open(args[1]):
            self.refused = self.refused or "The address is inside a private or special network, or on another port."
            raise PermissionError(self.refused)

    def _is_open(self, where: Any) -> bool:
        try:
            address, port = ip_address(where[0]), int(where[1])
        except (TypeError, ValueError, IndexError):
            return False
        return (str(address), port) in self.permitted or (self.public and port == 443 and is_public(address))


def main() -> None:
    """Send what stdin says, and say how it ended."""
    job = json.load(sys.stdin)
    fence = Fence([(address, port) for address, port in job["permitted"]], public="url" in job)
    sys.addaudithook(fence)
    reason = note = ""
    try:
        if "url" in job:
            reason = _posted(job)
        else:
            note = _mailed(job["mail"])
    except (OSError, ValueError, ssl.SSLError) as fault:
        reason = _reason(fault)
    json.dump({"reason": fence.refused or reason, "note": note}, sys.stdout)


def _mailed(mail: dict[str, Any]) -> str:
    """Hand the mail over; that some recipients were refused is a note, since the others have it."""
    context = ssl.create_default_context()
    where = (mail["host"], mail["port"])
    secure = mail["tls"] == "from-the-start"
    with (
        smtplib.SMTP_SSL(*where, timeout=SECONDS, context=context)
        if secure
        else smtplib.SMTP(*where, timeout=SECONDS) as server
    ):
        if mail["tls"] == "starttls":
            server.starttls(context=context)
        if mail["user"]:
            server.login(mail["user"], mail["password"])
        refused = server.sendmail(mail["sender"], mail["recipients"], mail["text"].encode())
    return f"{len(refused)} of {len(mail['recipients'])} recipients were refused." if refused else ""


def _posted(job: dict[str, Any]) -> str:
    """Give the message to apprise; the reason is the last thing that it complained of."""
    import apprise

    said = _Said()
    apprise.logger.addHandler(said)
    asset = apprise.AppriseAsset(async_mode=False, http_redirects=False, app_id="HealthRecords", app_url="")
    service = apprise.Apprise.instantiate(job["url"], asset=asset)  # `add` would take several addresses in one
    if service is None:
        return "The address is not one that this service has."
    if job.get("body") is None:
        return ""
    kind = apprise.NotifyType(TYPES[job["severity"]])
    taken = service.notify(
        body=job["body"], title=job["title"], notify_type=kind, body_format=apprise.NotifyFormat.TEXT
    )
    return "" if taken else said.last or "The service did not take it."


class _Said(logging.Handler):
    """Keeps the last complaint."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self.last = record.getMessage()


def _reason(fault: Exception) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        return f"The mail server answered {fault.smtp_code}."
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        return "The mail server refused every recipient."
    if isinstance(fault, ssl.SSLError):
        return "Its certificate or its TLS is not accepted."
    return "It took too long." if isinstance(fault, TimeoutError) else "The connection failed or broke off."


if __name__ == "__main__":
    main()
