"""A witness for the audit trail of HealthRecords: keeps each signed statement once and shows what it holds.

    WITNESS_TOKEN=SECRET python witness.py FOLDER [--port 8443] [--certificate FILE --key FILE]

Run it where the administrators of the records' server have no rights. Needs Python alone; without a certificate it
speaks plain HTTP on 127.0.0.1, for a reverse proxy in front of it. What HEALTHCARE_WITNESS=https://… expects:

POST   lines, each a statement as JSON: 200 and a receipt {"sha256": hash of the body, "kept": lines, "time": …}, after
       all are on disk; 409 where another statement of that epoch and number is held, which stays as it is.
GET    ?epoch=E&after=N&most=M: the lines of epoch E after number N, in order, at most M.
Both need `Authorization: Bearer SECRET`, or answer 401.
"""

import argparse
import hmac
import json
import os
import ssl
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

LONGEST = 4 * 1024 * 1024  # bytes of one delivery


class Witness(BaseHTTPRequestHandler):
    """One request; `folder` and `token` are set at the start."""

    folder: Path
    token: str
    timeout = 30

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        if not self.permitted() or not 0 < length <= LONGEST:
            return self.answer(401 if not self.permitted() else 413)
        body = self.rfile.read(length)
        try:
            kept = all([self.keep(line) for line in body.splitlines(keepends=True)])
        except (ValueError, KeyError, TypeError):
            return self.answer(400)
        receipt = {"sha256": sha256(body).hexdigest(), "kept": body.count(b"\n"), "time": f"{datetime.now(UTC):%FT%TZ}"}
        return self.answer(200, json.dumps(receipt).encode()) if kept else self.answer(409)

    def do_GET(self) -> None:
        if not self.permitted():
            return self.answer(401)
        try:
            asked = {name: int(values[0]) for name, values in parse_qs(urlsplit(self.path).query).items()}
            files = sorted((self.folder / f"{asked['epoch']:04d}").glob("*.json"))
            after = [file for file in files if int(file.stem) > asked["after"]]
            return self.answer(200, b"".join(file.read_bytes() for file in after[: asked["most"]]))
        except (ValueError, KeyError):
            return self.answer(400)

    def keep(self, line: bytes) -> bool:
        """Put a statement on disk; False where another one is there."""
        said = json.loads(json.loads(line)["statement"])
        file = self.folder / f"{int(said['epoch']):04d}" / f"{int(said['number']):012d}.json"
        if file.exists():
            return file.read_bytes() == line
        file.parent.mkdir(exist_ok=True)
        part = file.with_suffix(".part")
        with part.open("wb") as out:
            out.write(line)
            out.flush()
            os.fsync(out.fileno())
        part.rename(file)
        return True

    def permitted(self) -> bool:
        """Whether the request has the token."""
        return hmac.compare_digest(self.headers.get("Authorization", "").encode(), f"Bearer {self.token}".encode())

    def answer(self, status: int, body: bytes = b"") -> None:
        """Send an answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Keeps the signed statements of an audit trail.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    options = parser.parse_args()
    Witness.folder, Witness.token = options.folder, os.environ["WITNESS_TOKEN"]
    server = HTTPServer(("0.0.0.0" if options.certificate else "127.0.0.1", options.port), Witness)
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"Listening on port {server.server_port}.", flush=True)
    server.serve_forever()
