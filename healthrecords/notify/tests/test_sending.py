"""The process that sends reaches what is public or listed, nothing else, whatever the address or the answer says."""

import json
import socket
import subprocess
import sys

import pytest
from django.conf import settings as ours
from django.core.exceptions import ValidationError

from healthrecords import outgoing
from healthrecords.notify import kinds, sending
from healthrecords.notify.sender import Fence
from healthrecords.notify.wording import Message

WORDS = Message("some-id", "warning", "Warning: Clinic", "A job is late.", "Warning: A job is late.")
LISTED = [("10.1.2.3", 8443)]
OPEN = [
    (("10.1.2.3", 8443), True), (("10.1.2.3", 443), False), (("10.1.2.4", 8443), False), (("127.0.0.1", 443), False),
    (("169.254.169.254", 443), False), (("1.1.1.1", 443), True), (("1.1.1.1", 80), False), (("1.1.1.1", 25), False),
    (("2606:4700:4700::1111", 443, 0, 0), True), (("::ffff:10.1.2.3", 443, 0, 0), False), (("::1", 443, 0, 0), False),
    (("fd00::1", 443, 0, 0), False), ("/var/run/docker.sock", False), (("localhost", 443), False), (None, False),
]  # fmt: skip


@pytest.mark.parametrize(("where", "is_open"), OPEN)
def test_a_connection_is_judged_by_the_address_itself(where, is_open):
    fence = Fence(LISTED, public=True)
    try:
        fence("socket.connect", (None, where))
    except PermissionError:
        assert not is_open
        assert fence.refused
    else:
        assert is_open


def test_for_mail_only_the_mail_server_is_open():
    with pytest.raises(PermissionError):
        Fence(LISTED, public=False)("socket.connect", (None, ("1.1.1.1", 443)))


def test_python_asks_the_fence_before_each_connection_and_each_program():
    """What the whole fence rests on, tried with a real interpreter."""
    program = """
import socket, subprocess, sys
from healthrecords.notify.sender import Fence
sys.addaudithook(Fence([], public=True))
HERE = ("127.0.0.1", PORT)
for deed in (
    lambda: socket.create_connection(HERE),
    lambda: socket.socket().connect_ex(HERE),
    lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", HERE),
    lambda: subprocess.run(["true"]),
):
    try:
        deed()
        print("open")
    except PermissionError:
        print("refused")
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = program.replace("PORT", str(server.getsockname()[1]))
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=ours.BASE_DIR, check=True
        )
    assert done.stdout.split() == ["refused"] * 4


def test_an_address_inside_that_is_not_listed_is_given_nothing(service, settings):
    settings.OUTGOING_ALLOW = []
    with pytest.raises(sending.NotTaken, match="private or special network"):
        sending.send(service.address, WORDS)
    assert service.taken == []


def test_a_name_that_leads_inside_at_the_moment_of_the_connection_is_given_nothing(service, settings):
    """However it was resolved before: DNS may answer differently each time (rebinding)."""
    settings.OUTGOING_ALLOW = []
    with pytest.raises(sending.NotTaken, match="private or special network"):
        sending.send(service.address.replace("127.0.0.1", "localhost"), WORDS)
    assert service.taken == []


def test_no_redirect_is_followed(service):
    service.status, service.location = 307, f"http://127.0.0.1:{service.port}/elsewhere"
    with pytest.raises(sending.NotTaken, match="307"):
        sending.send(service.address, WORDS)


def test_the_process_sees_nothing_of_the_server_s_surroundings(monkeypatch):
    seen = {}

    def look(command, *, env, **options):
        seen.update(env)
        return subprocess.CompletedProcess(command, 0, json.dumps({"reason": "", "note": ""}))

    monkeypatch.setattr(sending.subprocess, "run", look)
    sending.send("slack://a/b/c", WORDS)
    assert set(seen) <= {"PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"}


def test_a_text_message_is_one_line(monkeypatch):
    jobs = []
    monkeypatch.setattr(sending, "_run", lambda job, _: jobs.append(job))
    sending.send("twilio://sid:token@5550100/5550101", WORDS)
    assert (jobs[0]["title"], jobs[0]["body"]) == ("", "Warning: A job is late.")


def test_exceptions_are_resolved_with_their_ports(settings, monkeypatch):
    settings.OUTGOING_ALLOW = ["chat.clinic.example", "hook.clinic.example:8443", "gone.clinic.example"]
    known = {"chat.clinic.example": ["10.0.0.5"], "hook.clinic.example": ["10.0.0.6", "127.0.0.1"]}
    monkeypatch.setattr(outgoing, "resolve", lambda host, _: known[host] if host in known else _unknown())
    assert outgoing.exceptions() == [("10.0.0.5", 443), ("10.0.0.6", 8443)]


def _unknown():
    raise socket.gaierror


BAD = [
    "http://clinic.example/hook", "jsons://clinic.example/?verify=no", "jsons://clinic.example/?redirect=yes",
    "workflows://h/w/s/?template=/etc/passwd", "mailtos://user:secret@example.org", "syslog://", "mailto:nobody",
    "file:///etc/passwd", "jsons://clinic.example/a b",
    "jsons://clinic.example/#x?verify=no",
    "jsons://clinic.example/%3Fverify=no", "",
]  # fmt: skip


@pytest.mark.parametrize("address", BAD)
def test_an_address_that_is_no_service_of_ours_is_refused(address):
    with pytest.raises(ValidationError):
        kinds.refuse_bad(address)


GOOD = [
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops", "jsons://user:pw@clinic.example:8443/hook?+X-Key=abc",
    "mailto:a@clinic.example,b@clinic.example", "role:operator", "twilio://AC735c307c62944b5a:e29dfbcebf390dee9@5550100/5550101",
]  # fmt: skip


@pytest.mark.parametrize("address", GOOD)
def test_an_address_of_a_service_of_ours_is_taken(address):
    kinds.refuse_bad(address)


def test_apprise_knows_every_service_of_the_list():
    names = "import apprise, json; print(json.dumps(list(apprise.manager_plugins.NotificationManager().schemas())))"
    done = subprocess.run([sys.executable, "-c", names], capture_output=True, text=True, check=True)
    assert set(kinds.SERVICES) - set(json.loads(done.stdout)) == set()


def test_mail_is_plain_ascii_and_has_the_same_id_each_time(inbox):
    words = Message("some-id", "warning", "Warning: Clinic", "Töne, 漢字", "Warning: Töne")
    for _ in range(2):
        assert sending.send("mailto:desk@example.org", words) == ""
    assert [mail["Message-ID"] for mail in inbox] == ["<some-id@healthrecords.invalid>"] * 2
    assert all(mail.as_bytes().isascii() for mail in inbox)
    assert inbox[0].get_payload(decode=True).decode().strip() == "Töne, 漢字"


def test_a_recipient_who_is_refused_is_noted_and_the_others_are_not_written_to_again(refusing_inbox):
    note = sending.send("mailto:gone@example.org,desk@example.org", WORDS)
    assert note == "1 of 2 recipients were refused."
    assert len(refusing_inbox) == 1


def test_where_every_recipient_is_refused_nobody_has_it(refusing_inbox):
    with pytest.raises(sending.NotTaken, match="refused every recipient"):
        sending.send("mailto:gone@example.org", WORDS)
