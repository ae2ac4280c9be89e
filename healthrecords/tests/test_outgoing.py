"""Outgoing requests reach the public internet and nothing inside; each case through real sockets on loopback."""

import socket
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from healthrecords import outgoing
from healthrecords.outgoing import Refused, Unanswered, check, fetch

INSIDE = [
    # private, loopback, link-local and special IPv4
    "https://10.0.0.1/", "https://10.255.255.255/", "https://172.16.0.1/", "https://172.31.255.254/",
    "https://192.168.1.1/", "https://127.0.0.1/", "https://127.8.8.8/", "https://0.0.0.0/", "https://0.1.2.3/",
    "https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/", "https://100.100.100.200/",
    "https://192.0.0.8/", "https://192.0.2.1/", "https://198.18.0.1/", "https://198.51.100.7/",
    "https://203.0.113.9/", "https://224.0.0.1/", "https://239.255.255.250/", "https://240.0.0.1/",
    "https://255.255.255.255/", "https://192.88.99.1/", "https://168.63.129.16/",
    # IPv6, and IPv4 inside it
    "https://[::1]/", "https://[::]/", "https://[fe80::1]/", "https://[fc00::1]/", "https://[fd12:3456::1]/",
    "https://[fec0::1]/", "https://[ff02::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
    "https://[::ffff:8.8.8.8]/", "https://[::127.0.0.1]/", "https://[2002:7f00:1::]/", "https://[2002:808:808::]/",
    "https://[64:ff9b::7f00:1]/", "https://[64:ff9b::808:808]/", "https://[64:ff9b:1::a00:1]/",
    "https://[2001:0:4136:e378::]/", "https://[2001:db8::1]/", "https://[3fff::1]/", "https://[100::1]/",
    # other spellings of 127.0.0.1
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://127.1/",
    "https://127.0.1/", "https://017700000001/", "https://127.0.0.1./", "https://0/", "https://①②⑦.0.0.1/",
    "https://127。0。0。1/", "https://[0:0:0:0:0:0:0:1]/",
    # names of our own network
    "https://localhost/", "https://localhost./", "https://minio/", "https://postgres:5432/",
    # forms in which parsers disagree
    "https://keys.example.org@127.0.0.1/", "https://user:pass@keys.example.org/", "https://127.0.0.1#@example.org/",
    "https://keys.example.org\\@127.0.0.1/", "https://127.0.0.1%2f.example.org/", "https://keys.example.org\t/",
    " https://keys.example.org/", "https://", "https:///path", "https://[::1/", "https://[fe80::1%25eth0]/",
    "https://keys.example.org:/", "https://" + "a" * 3000 + ".org/",
    # other ports and protocols
    "https://keys.example.org:22/", "https://keys.example.org:6379/", "https://keys.example.org:99999/",
    "https://keys.example.org:-1/", "http://keys.example.org/", "http://127.0.0.1/", "ftp://keys.example.org/",
    "file:///etc/passwd", "gopher://127.0.0.1:6379/_INFO", "unix:///run/socket", "//keys.example.org/", "",
]  # fmt: skip


@pytest.fixture
def names(monkeypatch):
    """A name server of the test's own: each name has the answers of its list, one list after the other."""
    known: dict[str, list[list[str]]] = {"keys.example.org": [["93.184.215.14"]]}

    def resolve(host: str, port: int) -> list[str]:
        if host not in known:
            return [str(found[4][0]) for found in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)]
        return known[host].pop(0) if len(known[host]) > 1 else known[host][0]

    monkeypatch.setattr(outgoing, "resolve", resolve)
    return known


@contextmanager
def server(*parts: bytes, pause: float = 0, tls: ssl.SSLContext | None = None):
    """Something that listens on loopback and sends `parts`; yields its port and what it was sent."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            try:
                with tls.wrap_socket(connection, server_side=True) if tls else connection as talking:
                    sent = talking.recv(65536)
                    for part in parts:
                        talking.sendall(part)
                        time.sleep(pause)
                    while more := talking.recv(65536):
                        sent += more
                    received.append(sent)
            except OSError:
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], received
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """A certificate for keys.example.org that this machine trusts during the test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "keys.example.org")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("keys.example.org")]), False)
    file = tmp_path / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def answer(body: bytes = b"{}", status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.fixture
def local(settings):
    """The address of a server on loopback, listed as the embedded start may list it."""

    def address(port: int) -> str:
        settings.OUTGOING_ALLOW = [f"127.0.0.1:{port}"]
        return f"http://127.0.0.1:{port}/jwks?x=1"

    return address


@pytest.mark.parametrize("url", INSIDE)
def test_an_address_inside_or_in_doubt_is_refused(url, names):
    with pytest.raises(Refused):
        fetch(url)


def test_the_table_tries_at_least_forty_targets():
    assert len(set(INSIDE)) >= 80


def test_a_public_name_passes_and_is_pinned_to_the_address_that_was_checked(names):
    names["keys.example.org"] = [["93.184.215.14"], ["127.0.0.1"]]
    target = check("https://KEYS.example.org/jwks.json?a=b")
    assert (target.host, target.port, target.address) == ("keys.example.org", 443, "93.184.215.14")
    assert target.path == "/jwks.json?a=b"


@pytest.mark.parametrize("url", ["https://93.184.215.14/", "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/"])
def test_a_public_address_passes_as_it_is(url, names):
    assert check(url).address in url


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "fd00::1", "::ffff:10.0.0.1"])
def test_a_name_with_one_address_inside_is_refused_whatever_the_others_are(names, inside):
    names["keys.example.org"] = [["93.184.215.14", inside]]
    with pytest.raises(Refused, match=r"keys\.example\.org has an address inside"):
        fetch("https://keys.example.org/")


def test_dns_that_changes_between_check_and_connection_does_not_lead_inside(names, monkeypatch, settings):
    """The second answer is our own loopback server; only the first one is ever connected to."""
    connected = []
    with server(answer(b"secret")) as (port, received):
        settings.OUTGOING_ALLOW = [f"keys.example.org:{port}"]
        names["keys.example.org"] = [["93.184.215.14"], ["127.0.0.1"]]

        def connect(address, timeout):
            connected.append(address)
            raise OSError("no way out of the test")

        monkeypatch.setattr(socket, "create_connection", connect)
        with pytest.raises(Unanswered):
            fetch(f"https://keys.example.org:{port}/")
    assert (connected, received) == ([("93.184.215.14", port)], [])


def test_an_unknown_name_is_told_as_such(monkeypatch):
    def resolve(host, port):
        raise socket.gaierror

    monkeypatch.setattr(outgoing, "resolve", resolve)
    with pytest.raises(Unanswered, match="not known"):
        fetch("https://nowhere.example.org/")


def test_a_listed_host_may_have_a_private_address_and_its_port_but_no_loopback_one(names, settings):
    settings.OUTGOING_ALLOW = ["keys.example.org:8443"]
    names["keys.example.org"] = [["10.1.2.3"]]
    assert check("https://keys.example.org:8443/").address == "10.1.2.3"
    with pytest.raises(Refused):
        check("https://keys.example.org/")
    for special in ("127.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1", "::"):
        names["keys.example.org"] = [[special]]
        with pytest.raises(Refused):
            check("https://keys.example.org:8443/")


def test_a_listed_host_is_still_asked_over_tls_alone(names, settings):
    settings.OUTGOING_ALLOW = ["keys.example.org", "keys.example.org:80"]
    with pytest.raises(Refused, match="https"):
        check("http://keys.example.org/")


def test_loopback_is_for_the_embedded_start_alone(settings, local):
    url = local(8123)
    assert check(url).address == "127.0.0.1"
    settings.EMBEDDED = False
    with pytest.raises(Refused):
        check(url)
    with pytest.raises(Refused):
        check(url.replace("http", "https"))


def test_an_answer_comes_back_whole_and_no_proxy_or_cookie_takes_part(local, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    with server(answer(b'{"keys": []}', **{"Set-Cookie": "a=b"})) as (port, received):
        reply = fetch(local(port), method="POST", body=b"hello", headers={"Content-Type": "text/plain"})
        fetch(local(port))
    assert (reply.status, reply.body, reply.headers["set-cookie"]) == (200, b'{"keys": []}', "a=b")
    assert received[0].startswith(b"POST /jwks?x=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % port)
    assert received[0].endswith(b"\r\n\r\nhello")
    assert b"cookie" not in received[1].lower()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(status, local):
    with server(answer(b"inside")) as (inner, asked_inside):
        redirect = answer(b"", status, Location=f"http://127.0.0.1:{inner}/")
        with server(redirect) as (port, _), pytest.raises(Refused, match="redirect"):
            fetch(local(port))
    assert asked_inside == []


def test_an_answer_that_is_too_long_is_given_up(local):
    with server(answer(b"x" * 5000)) as (port, _), pytest.raises(Unanswered, match="longer than 4096 bytes"):
        fetch(local(port), most=4096)


def test_bytes_that_trickle_in_do_not_hold_the_server(local):
    with server(*([b"H"] * 40), pause=0.05) as (port, _), pytest.raises(Unanswered):
        fetch(local(port), seconds=0.3)
    with server(answer(b" " * 90)[:-90], *([b" "] * 40), pause=0.05) as (port, _), pytest.raises(Unanswered):
        fetch(local(port), seconds=0.3)


def test_nonsense_and_a_closed_port_are_told_in_a_sentence(local):
    with server(b"SSH-2.0-OpenSSH\r\n") as (port, _), pytest.raises(Unanswered, match="broke off"):
        fetch(local(port))
    with pytest.raises(Unanswered, match=r"127\.0\.0\.1 did not answer"):
        fetch(local(port))


def test_tls_proves_the_name_although_the_connection_goes_to_an_address(names, certificate, settings, monkeypatch):
    """The public address leads to a loopback server here; its certificate is for keys.example.org alone."""
    connect = socket.create_connection
    with server(answer(b"keys"), tls=certificate) as (port, received):
        monkeypatch.setattr(socket, "create_connection", lambda _, timeout: connect(("127.0.0.1", port), timeout))
        assert fetch("https://keys.example.org/jwks").body == b"keys"
        names["other.example.org"] = names["keys.example.org"]
        with pytest.raises(Unanswered, match="certificate"):
            fetch("https://other.example.org/jwks")
    assert b"Host: keys.example.org\r\n" in received[0]
    assert len(received) == 1
