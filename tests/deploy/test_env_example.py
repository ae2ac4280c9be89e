""".env.example explains every name that the code reads, and no other."""

import re

NAME = re.compile(r"HEALTHCARE_[A-Z0-9_]+")
LINE = re.compile(r"^#?(HEALTHCARE_[A-Z0-9_]+)=", re.MULTILINE)
# Handed to the script that makes the database roles, from the secret files; nobody sets them.
INTERNAL = {f"HEALTHCARE_{role}_PASSWORD" for role in ("OWNER", "APP", "SEALER", "BACKUP", "MONITOR")}
# Their values are paths of files; everywhere else NAME_FILE is the other way to give NAME.
PATHS = {"HEALTHCARE_FIELD_KEY_FILE", "HEALTHCARE_INDEX_KEY_FILE", "HEALTHCARE_AUDIT_KEY_FILE"} | {
    "HEALTHCARE_BACKUP_RECIPIENTS_FILE",
    "HEALTHCARE_BACKUP_IDENTITY_FILE",
}


def names_read(root):
    sources = [*(root / "healthrecords/settings").glob("*.py"), *(root / "healthrecords/embedded").glob("*.py")]
    sources += [root / "deploy/gunicorn.conf.py", root / "docker-compose.yml"]
    found = {name for source in sources for name in NAME.findall(source.read_text())}
    return {name if name in PATHS else name.removesuffix("_FILE") for name in found} - INTERNAL


def test_every_name_that_is_read_is_explained_and_every_explained_name_is_read(root):
    explained = set(LINE.findall((root / ".env.example").read_text()))
    assert explained == names_read(root)


def test_every_name_has_a_sentence_above_it(root):
    paragraphs = (root / ".env.example").read_text().split("\n\n")
    for paragraph in paragraphs:
        if LINE.search(paragraph):
            assert paragraph.strip().startswith("# "), paragraph


def test_no_secret_has_a_value(root):
    text = (root / ".env.example").read_text()
    for name, value in re.findall(r"^#?(HEALTHCARE_\w+(?:_KEY|_TOKEN))=(.*)$", text, re.MULTILINE):
        assert value == "", name
    assert "PASSWORD@" in text
    assert not re.search(r":(?!PASSWORD@)[^/@\s]+@", text)


def test_a_copy_hides_no_value_of_a_local_server(root):
    text = (root / ".env.example").read_text()
    assert re.findall(r"^(HEALTHCARE_\w+)=", text, re.MULTILINE) == ["HEALTHCARE_HOST"]
