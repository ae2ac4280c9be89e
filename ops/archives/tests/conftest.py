"""A repository in a directory, two keys of which one is offline, and a small application to archive."""

import json

import pytest
from pyrage import x25519


class Vault:
    """A repository, and the folder of the application whose archives go there."""

    def __init__(self, folder, settings):
        self.folder, self.settings = folder, settings
        self.repository, self.source = folder / "repository", folder / "source"
        self.repository.mkdir()
        self.identities = [x25519.Identity.generate() for _ in range(2)]
        for name, identity in zip(("identity", "offline"), self.identities, strict=True):
            self.write(name, f"{identity}\n")
        self.write("recipients", "".join(f"{identity.to_public()}\n" for identity in self.identities))
        settings.BACKUP_REPOSITORY, settings.BACKUP_WORK_DIR = f"file://{self.repository}", folder / "work"
        settings.BACKUP_RECIPIENTS_FILE = str(folder / "recipients")
        settings.BACKUP_IDENTITY_FILE = str(folder / "identity")
        settings.BASE_DIR = self.source
        for name in ("manage.py", "requirements.txt", "ops/a.py", "docker-compose.yml", "deploy/start.sh"):
            self.write(f"source/{name}", f"# {name}\n")
        for name in (".env", ".venv/x", "deploy/secrets/key", "ops/__pycache__/a.pyc", "var/data"):
            self.write(f"source/{name}", "not the application's\n")
        (self.source / "deploy/start.sh").chmod(0o700)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    def offline(self):
        """Let restores use the key that is kept offline."""
        self.settings.BACKUP_IDENTITY_FILE = str(self.folder / "offline")

    def files(self, folder):
        return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}

    def objects(self, pattern):
        return sorted(self.repository.glob(pattern))


@pytest.fixture
def vault(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("HEALTHCARE_SECRET_TOKEN", "not for everybody")
    return Vault(tmp_path, settings)


@pytest.fixture
def answer(operate):
    """Run a verb with --json; return its exit code and its answer."""

    def answer(*arguments):
        ended = operate(*arguments, "--json")
        return ended.code, json.loads(ended.out)

    return answer
