"""Asks the application in this container whether it lives; exit code 0 if so. Readiness is HAProxy's question."""

import http.client
import os
import sys


def main() -> int:
    """Return 0 if `/health` answers 200 within three seconds, else 1."""
    host = os.environ.get("HEALTHCARE_ALLOWED_HOSTS", "localhost").partition(",")[0]
    try:
        connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=3)
        connection.request("GET", "/health", headers={"Host": host})
        return 0 if connection.getresponse().status == 200 else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
