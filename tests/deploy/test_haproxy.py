"""deploy/haproxy/haproxy.cfg, run for real before a small server that tells what reached it."""

import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from compliance.audit.requestlog import parse

pytestmark = pytest.mark.needs("haproxy")

REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")  # what the application takes over


class Backend(BaseHTTPRequestHandler):
    """Answers with the headers that it got; /slow waits until it is let go."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        if self.path == "/health":
            return self.answer(200 if server.alive else 503)
        server.paths.append(self.path)
        if self.path == "/slow":
            server.entered.set()
            server.let_go.wait(30)
        return self.answer(200)

    def do_POST(self):
        self.server.paths.append(self.path)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(200)

    def answer(self, status):
        body = json.dumps(self.headers.items()).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def backend():
    """The server behind HAProxy."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    server.alive, server.paths = True, []
    server.entered, server.let_go = threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.let_go.set()
    server.shutdown()
    server.server_close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Door:
    """A running HAProxy."""

    def __init__(self, root, directory, secrets_dir, backend_port):
        self.plain, self.secure, self.monitoring = free_port(), free_port(), free_port()
        text = (root / "deploy/haproxy/haproxy.cfg").read_text()
        (template,) = re.findall(r"server-template .*", text)
        changes = {
            "bind :8080": f"bind 127.0.0.1:{self.plain}",
            "bind :8443": f"bind 127.0.0.1:{self.secure}",
            "bind :8405": f"bind 127.0.0.1:{self.monitoring}",
            "/run/secrets/tls.pem": str(secrets_dir / "tls.pem"),
            template: f"server app 127.0.0.1:{backend_port} check",
        }
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        (directory / "haproxy.cfg").write_text(text)
        self.log = directory / "log"
        with self.log.open("wb") as log:
            command = ["haproxy", "-W", "-f", directory / "haproxy.cfg"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until(lambda: listens(self.secure))

    def drained(self):
        """Tell it to drain, again if it was still starting and missed that, and return whether it took that in."""
        self.process.send_signal(signal.SIGUSR1)
        return not listens(self.secure)

    def connect(self, secure=True):
        if secure:
            context = ssl._create_unverified_context()  # noqa: S323
            return http.client.HTTPSConnection("127.0.0.1", self.secure, context=context, timeout=20)
        return http.client.HTTPConnection("127.0.0.1", self.plain, timeout=20)

    def ask(self, method="GET", path="/", headers=None, body=None, *, secure=True, **more):
        """Return the answer and the headers that reached the application, if any did."""
        connection = self.connect(secure)
        connection.request(method, path, body, headers or {}, **more)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, json.loads(body) if body.startswith(b"[[") else None


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def door(root, tmp_path, secrets_dir, backend):
    running = Door(root, tmp_path, secrets_dir, backend.server_port)
    yield running
    running.process.kill()
    running.process.wait()


def values(headers, name):
    return [value for key, value in headers if key.lower() == name.lower()]


def test_plain_http_is_sent_to_https_with_its_path_and_query(door, backend):
    response, reached = door.ask(path="/admin/?next=1", headers={"Host": "ehr.example.org"}, secure=False)
    assert response.status == 308
    assert response.headers["Location"] == "https://ehr.example.org/admin/?next=1"
    assert reached is None
    assert backend.paths == []


def test_what_a_client_claims_about_itself_is_replaced(door):
    claims = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
        "X-Request-Id": "chosen-by-the-client",
        "X-Real-IP": "203.0.113.7",
        "X_Forwarded_For": "203.0.113.7",
        "Forwarded": "for=203.0.113.7",
        "Proxy": "http://evil.example",
        "X-Purpose-Of-Use": "TREAT",
    }
    response, reached = door.ask(headers=claims)
    assert response.status == 200
    assert values(reached, "X-Forwarded-For") == ["127.0.0.1"]
    assert values(reached, "X-Forwarded-Proto") == ["https"]
    assert values(reached, "X-Purpose-Of-Use") == ["TREAT"]
    assert "203.0.113.7" not in json.dumps(reached)
    assert "evil" not in json.dumps(reached)


def test_every_request_gets_an_id_of_its_own_that_the_application_takes_over(door):
    ids = [values(door.ask(headers={"X-Request-Id": "chosen-by-the-client"})[1], "X-Request-Id") for _ in range(2)]
    assert len({each for (each,) in ids}) == 2
    assert all(REQUEST_ID.fullmatch(each) and each != "chosen-by-the-client" for (each,) in ids)


def test_a_body_beyond_the_limit_is_refused_before_it_is_sent(door, backend):
    response, reached = door.ask("POST", "/fhir/Patient", {"Content-Length": str(16 * 1024 * 1024 + 1)})
    assert response.status == 413
    assert reached is None
    assert backend.paths == []


def test_content_of_a_document_may_be_longer_and_nothing_else(door, backend):
    long = 16 * 1024 * 1024 + 1
    for path in ("/fhir/Binary", "/admin/documents/documentreference/receive/x/"):
        assert door.ask("POST", path, body=bytes(long))[0].status == 200
    for method, path in (("PUT", "/fhir/Binary"), ("POST", "/fhir/Binary/x"), ("POST", "/fhir/BinaryX")):
        assert door.ask(method, path, {"Content-Length": str(long)})[0].status == 413


def test_a_body_within_the_limit_passes(door):
    response, _ = door.ask("POST", "/fhir/Patient", body=b"x" * 1_000_000)
    assert response.status == 200


def test_a_body_of_unknown_length_is_refused(door, backend):
    # The headers alone: the door answers, and closes, before the body comes.
    response, _ = door.ask("POST", "/fhir/Patient", {"Transfer-Encoding": "chunked"})
    assert response.status == 411
    assert backend.paths == []


def frame(kind, flags, payload):
    """An HTTP/2 frame (RFC 9113, section 4.1); all but settings belong to stream 1."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags, 0, 0, 0, 0 if kind == SETTINGS else 1]) + payload


def literal(name, value):
    """A header field without indexing and without compression (RFC 7541, section 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


DATA, HEADERS, SETTINGS = 0, 1, 4
END_STREAM, END_HEADERS = 1, 4


def status_over_http2(door, body):
    """Post `body`, or nothing, without a Content-Length; return the first bytes of the answer's header block."""
    context = ssl._create_unverified_context()  # noqa: S323
    context.set_alpn_protocols(["h2"])
    fields = {b":method": b"POST", b":scheme": b"https", b":path": b"/fhir/Patient", b":authority": b"ehr.example.org"}
    block = b"".join(literal(name, value) for name, value in fields.items())
    sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, b"")
    sent += frame(HEADERS, END_HEADERS if body else END_HEADERS | END_STREAM, block)
    sent += frame(DATA, END_STREAM, body) if body else b""
    with (
        socket.create_connection(("127.0.0.1", door.secure), timeout=20) as plain,
        context.wrap_socket(plain) as connection,
    ):
        connection.sendall(sent)
        received = connection.makefile("rb")
        while True:
            head = received.read(9)
            payload = received.read(int.from_bytes(head[:3], "big"))
            if head[3] == HEADERS:
                return payload[:5]


def test_a_body_of_unknown_length_is_refused_over_http2_too(door, backend):
    assert b"411" in status_over_http2(door, b"{}")
    assert backend.paths == []


def test_a_request_without_a_body_needs_no_length_over_http2(door, backend):
    assert status_over_http2(door, b"")[0] == 0x88  # the table's `:status: 200`
    assert backend.paths == ["/fhir/Patient"]


def test_headers_beyond_the_limit_are_refused(door, backend):
    response, _ = door.ask(headers={"X-Long": "x" * 16_000})
    assert response.status == 400
    response, _ = door.ask(headers={f"X-Many-{number}": "x" for number in range(80)})
    assert response.status == 400
    assert backend.paths == []


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/metrics?x=1", "/%6Detrics", "/alerts", "/%61lerts"])
def test_metrics_and_alerts_are_not_for_the_outside(door, backend, path):
    response, _ = door.ask(path=path, headers={"Authorization": "Bearer anything"})
    assert response.status == 404
    assert backend.paths == []


def test_the_log_names_the_path_and_never_the_search(door):
    door.ask(
        path="/fhir/Patient?family=Shaw&birthdate=1980-04-01", headers={"Authorization": "Bearer token-of-a-person"}
    )
    until(lambda: b"/fhir/Patient" in door.log.read_bytes())
    log = door.log.read_text()
    assert "Shaw" not in log
    assert "1980" not in log
    assert "token-of-a-person" not in log


def test_the_log_is_one_that_the_trail_can_be_reconciled_with(door):
    reached = [door.ask(path=path)[1] for path in ("/fhir/Patient/0192-7c3e?x=1", "/fhir/Patient/$validate")]
    until(lambda: b"$validate" in door.log.read_bytes())
    read = [each for line in door.log.read_text().splitlines() if (each := parse(line))]
    told = [(each.method, each.route, each.status) for each in read]
    assert told == [("GET", "fhir/Patient", 200), ("GET", "fhir/$validate", 200)]
    assert [each.request for each in read] == [dict(headers)["x-request-id"] for headers in reached]


def test_an_application_that_does_not_live_gets_no_requests(door, backend):
    backend.alive = False
    until(lambda: door.ask()[0].status == 503)
    backend.alive = True
    until(lambda: door.ask()[0].status == 200)


def test_draining_takes_no_new_connection_and_lets_those_in_flight_end(door, backend):
    answers = []
    asking = threading.Thread(target=lambda: answers.append(door.ask(path="/slow")[0].status))
    asking.start()
    assert backend.entered.wait(20)
    until(door.drained)
    assert answers == []
    backend.let_go.set()
    asking.join(20)
    assert answers == [200]
    assert door.process.wait(20) == 0


def test_the_monitor_sees_whether_it_lives_and_its_figures(door):
    connection = http.client.HTTPConnection("127.0.0.1", door.monitoring, timeout=5)
    connection.request("GET", "/alive")
    alive = connection.getresponse()
    alive.read()
    assert alive.status == 200
    connection.request("GET", "/metrics")
    assert b'haproxy_backend_active_servers{proxy="application"}' in connection.getresponse().read()
    connection.close()
