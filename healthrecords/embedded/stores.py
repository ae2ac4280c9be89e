"""The three stores together: PostgreSQL, Valkey, SeaweedFS, and how the application finds them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from .backups import Backups
from .credentials import bearer_token, credentials
from .home import Home, write_private
from .ports import kept_ports
from .postgres import Postgres
from .process import Program
from .seaweedfs import BUCKET, PORTS, SeaweedFS
from .valkey import BROKER, CACHE, Valkey


class Stores:
    """The stores of one data directory, with their ports and passwords; nothing runs yet."""

    def __init__(
        self, home: Home, settings: Mapping[str, str] = MappingProxyType({}), backups: Path | None = None
    ) -> None:
        self.home, self.passwords = home, credentials(home)
        ports = kept_ports(home / "ports.json", ("postgres", "valkey", *PORTS))
        self.postgres = Postgres(home, ports["postgres"], self.passwords, settings)
        self.valkey = Valkey(home, ports["valkey"], self.passwords)
        self.seaweedfs = SeaweedFS(home, {name: ports[name] for name in PORTS}, self.passwords)
        self.backups = Backups(home, backups)

    @property
    def all(self) -> tuple[Postgres, Valkey, SeaweedFS]:
        """In the order in which they start; they stop in the opposite one."""
        return self.postgres, self.valkey, self.seaweedfs

    def prepare(self) -> list[Program]:
        """Make what each needs on disk; return them as programs."""
        for store in self.all:
            store.prepare()
        self.backups.prepare()
        return [store.program() for store in self.all]

    def environment(self, port: int) -> dict[str, str]:
        """Return the HEALTHCARE_ names by which the application on `port` finds all this."""
        return {
            "HEALTHCARE_EMBEDDED": "1",
            "HEALTHCARE_DATA_DIR": str(self.home.root),
            "HEALTHCARE_SECRET_KEY": self.passwords["django"],
            "HEALTHCARE_FIELD_KEY_FILE": str(self.home / "secrets" / "field.key"),
            "HEALTHCARE_INDEX_KEY_FILE": str(self.home / "secrets" / "index.key"),
            "HEALTHCARE_AUDIT_KEY_FILE": str(self.home / "secrets" / "audit.key"),
            "HEALTHCARE_DATABASE_URL": self.postgres.url("healthrecords_app", "database_app"),
            "HEALTHCARE_DATABASE_OWNER_URL": self.postgres.url("healthrecords_owner", "database_owner"),
            "HEALTHCARE_DATABASE_SEALER_URL": self.postgres.url("healthrecords_sealer", "database_sealer"),
            "HEALTHCARE_DATABASE_MONITOR_URL": self.postgres.url("healthrecords_monitor", "database_monitor"),
            "HEALTHCARE_DATABASE_MAINTENANCE_URL": self.postgres.url(
                "healthrecords_maintenance", "database_maintenance"
            ),
            "HEALTHCARE_CACHE_URL": self.valkey.url(CACHE),
            "HEALTHCARE_BROKER_URL": self.valkey.url(BROKER),
            "HEALTHCARE_S3_ENDPOINT": self.seaweedfs.endpoint,
            "HEALTHCARE_S3_ACCESS_KEY": self.seaweedfs.access_key,
            "HEALTHCARE_S3_SECRET_KEY": self.seaweedfs.secret_key,
            "HEALTHCARE_S3_BUCKET": BUCKET,
            "HEALTHCARE_METRICS_TOKEN": bearer_token(self.home, "metrics"),
            "HEALTHCARE_ALERTS_TOKEN": bearer_token(self.home, "alerts"),
            "HEALTHCARE_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "HEALTHCARE_STATIC_ROOT": str(self.home / "static"),
            **self.backups.environment(self.postgres),
        }


def write_server_env(home: Home, environment: Mapping[str, str]) -> None:
    """Write `server.env`, by which `manage.py` with the same data directory finds the running server's stores."""
    write_private(home / "server.env", "".join(f"{name}={value}\n" for name, value in environment.items()))
