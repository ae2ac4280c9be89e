"""Nothing reaches records around the policy: each other use of their tables is named here, with its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings

from healthrecords.fhir.resource import registry
from healthrecords.records import Part, Record, RecordVersion

APPS = ("healthrecords", "patients", "immunizations", "documents", "ops", "compliance")
MANAGERS = frozenset({"objects", "_default_manager", "_base_manager"})
SQL = frozenset({"cursor", "raw", "RawSQL", "extra"})
# What holds or names patients' records without being a record itself.
KIN = frozenset({"RecordVersion", "DuplicatePair", "Content", "ContentUse", "KeptResource", "ReplacedContent"})

SEAM = "it hands the rows to the policy itself"
PARTS = "it reads parts or links of rows that the policy has narrowed, by a condition that is joined to them"
DIRECTORY = "it reads the directory, which discloses nobody"
LOCK = "it takes a lock"
WRITES = "it follows a write, inside its transaction, and shows nothing"
JOB = "a job or command of the system over all records, which shows no record"
# place (module, or module:function) → why it may reach rows that nobody has narrowed
ALLOWED = {
    "healthrecords/access/policy.py:decide": SEAM,
    "healthrecords/access/policy.py:note_withheld": "whether there is a record that was not shown, for a figure alone",
    "compliance/policy.py:visible_versions": "a condition on versions, which only narrows",
    "healthrecords/console/changes.py:_seen": SEAM,
    "healthrecords/oauth/narrowing.py:_versions": "a condition on versions, which only narrows",
    "healthrecords/oauth/narrowing.py:holds": "whether what was just written is within the scopes of who wrote it",
    "healthrecords/fhir/interactions.py": SEAM,
    "healthrecords/fhir/listing.py:history": SEAM,
    "healthrecords/fhir/search/include.py": "the rows that an include leads to, which `follow` hands to the policy",
    "healthrecords/fhir/search/params.py": PARTS,
    "documents/fhir/links.py": PARTS,
    "patients/admin/search.py": PARTS,
    "immunizations/stock/recipients.py:_phones": PARTS,
    "immunizations/duplicates/review.py": "pairs, which `_visible` narrows to those whose doses may both be seen",
    "immunizations/stock/recipients.py:_without_record": "whether there is a record of a patient for anybody",
    "immunizations/admin/stock.py:_told": "the addresses of patients whom the list already names",
    "immunizations/admin/entry.py:_is_saved": "whether this very form was sent twice: it made the id itself",
    "immunizations/admin/screens.py:_in_error": "a note on a dose that the policy has let be changed",
    "immunizations/admin/entry_forms.py:picked": "a field that offers nothing until the screen narrows it",
    "documents/admin/words.py:filed": "the sizes and states of the content of documents that are shown",
    "documents/admin/upload.py": "content that this very form has just stored",
    "documents/fhir/visibility.py": SEAM,
    "documents/fhir/inline.py": "content that a document points to as it is written: who may claim it, and whose it is",
    "documents/ccda/filling.py": "content that its sender points to as it is written",
    "documents/models.py": "whose content is open to its sender, for writing",
    "healthrecords/console/record_admin.py:target": "the id for the trail of what was asked for, seen or not",
    "healthrecords/fhir/store.py": WRITES,
    "healthrecords/bulk.py": WRITES,
    "healthrecords/provenance/patients.py": WRITES,
    "compliance/consent/covering.py": WRITES,
    "immunizations/duplicates/following.py": WRITES,
    "immunizations/duplicates/search.py": JOB,
    "healthrecords/accounts/": "people, roles and tokens",
    "healthrecords/directory/": DIRECTORY,
    "immunizations/admin/dose_page.py:_name": DIRECTORY,
    "compliance/consent/preview.py:active": "consents, which go by role alone",
    "compliance/consent/screens/admin.py:_patients": "whose consent it is: who opens no chart brings the id",
    "compliance/consent/screens/admin.py:_recorded": "the consent that this very form has just recorded",
    "compliance/review/accesses.py:patient_named": "an officer brings a number and is given the id of whose it is",
    "compliance/accounting/disclosures.py": "the name of whose disclosures the compliance officer accounts for",
    "compliance/review/gathering.py": "facts about accesses for those who review them, by role alone; no record shows",
    "compliance/consent/limiting.py:limited": "the consents that limit the asker: it tells types alone",
    "compliance/breakglass/admin.py:_back": "the page of the patient of the person's own declaration",
    "compliance/breakglass/console.py:_notice": "the patient of the person's own declaration",
    "compliance/breakglass/operation.py:post": "whether there is such a patient, for whoever declares an emergency",
    "healthrecords/oauth/tasks.py": "tokens and permissions",
    "healthrecords/oauth/views.py": "tokens",
    "documents/ccda/late.py": WRITES,
    "ops/": JOB,
    "healthrecords/importing/": JOB,
    "documents/checking.py": JOB,
    "documents/mending.py": JOB,
    "documents/scanning/": JOB,
    "documents/holding.py": JOB,
    "documents/management/": JOB,
}

# the same for SQL of our own
ALLOWED_SQL = {
    "healthrecords/compiled.py": "the text of a query that the policy narrowed, kept",
    "healthrecords/bulk.py": WRITES,
    "healthrecords/fhir/interactions.py:_one_at_a_time": LOCK,
    "healthrecords/importing/importer.py": LOCK,
    "healthrecords/accounts/": "people, roles, tokens and their attempts",
    "healthrecords/crypto/": JOB,
    "healthrecords/oauth/": LOCK,
    "compliance/apps.py": "it makes the trail's months",
    "immunizations/codes/": LOCK,
    "immunizations/stock/": "the counts of lots",
    "documents/mending.py": LOCK,
    "ops/": JOB,
    "compliance/audit/": "the trail, which goes by role alone",
    "compliance/phi_access/": "the trail, which goes by role alone",
}


def _model_names() -> tuple[frozenset[str], frozenset[str]]:
    """The models behind which patients' records stand, and all others, by their names."""
    directory = {resource.model for resource in registry().values() if resource.directory}
    closed, others = set(KIN), set()
    for model in apps.get_models():
        of_record: Any = model._meta.get_field("record").related_model if issubclass(model, Part) else model
        named = closed if issubclass(of_record, Record | RecordVersion) and of_record not in directory else others
        named.add(model.__name__)
    return frozenset(closed), frozenset(others - closed)


def _uses(path: Path) -> Iterator[tuple[str, int]]:
    """Function and line of each use of a manager that may be one of records, outside of a call of `visible`."""
    closed, others = _model_names()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    narrowed = {id(each) for call in ast.walk(tree) if _is_policy(call) for each in ast.walk(call)}
    called = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Attribute)}
    for function, node in _inside(tree, ""):
        if not isinstance(node, ast.Attribute) or node.attr not in MANAGERS or id(node) in narrowed:
            continue
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        if name in closed or (name not in others and id(node) in called):
            yield function, node.lineno


def _is_policy(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("visible", "visible_versions")
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "policy"
    )


def _inside(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    """Every node with the outermost function or class that it is in."""
    for child in ast.iter_child_nodes(node):
        inner = function
        if isinstance(child, ast.FunctionDef | ast.ClassDef) and not isinstance(node, ast.FunctionDef):
            inner = child.name
        yield inner, child
        yield from _inside(child, inner)


def _sources() -> Iterator[tuple[str, Path]]:
    for name in APPS:
        for path in sorted((settings.BASE_DIR / name).rglob("*.py")):
            where = path.relative_to(settings.BASE_DIR).as_posix()
            if "/tests/" not in where and "/migrations/" not in where:
                yield where, path


def _sql(path: Path) -> Iterator[tuple[str, int]]:
    """Function and line of each use of SQL."""
    for function, node in _inside(ast.parse(path.read_text(encoding="utf-8")), ""):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in SQL:
            yield function, node.lineno


def _reason(where: str, function: str, allowed: dict[str, str]) -> str | None:
    keys = (f"{where}:{function}", where, *(f"{parent}/" for parent in map(str, Path(where).parents)))
    return next((key for key in keys if key in allowed), None)


GATES = pytest.mark.parametrize(("uses", "allowed"), [(_uses, ALLOWED), (_sql, ALLOWED_SQL)], ids=["managers", "sql"])


@GATES
def test_no_records_are_reached_around_the_policy(uses, allowed):
    found = [
        f"{where}:{line} in {function}: hand the rows to policy.visible, or name the place here with its reason"
        for where, path in _sources()
        for function, line in uses(path)
        if _reason(where, function, allowed) is None
    ]
    assert not found, "\n".join(found)


@GATES
def test_every_exception_is_still_needed(uses, allowed):
    used = {_reason(where, function, allowed) for where, path in _sources() for function, _ in uses(path)}
    assert set(allowed) - used == set()


REACHING = [
    "def page(key):\n    return Patient.objects.get(pk=key)",
    "def page(model):\n    return model._default_manager.all()",
    "def page(asked):\n    return policy.visible(x, asked), RecordVersion.objects.all()",
]


@pytest.mark.parametrize("text", REACHING)
def test_a_way_around_is_found(tmp_path, text):
    (tmp_path / "page.py").write_text(text)
    assert [function for function, _ in _uses(tmp_path / "page.py")] == ["page"]


def test_rows_that_the_policy_narrows_and_other_tables_are_none(tmp_path):
    (tmp_path / "page.py").write_text("policy.visible(Patient.objects.live(), asked)\nRole.objects.all()")
    assert list(_uses(tmp_path / "page.py")) == []


def test_no_record_leads_to_records_of_other_types_by_an_accessor():
    """`patient.immunization_set` would be a way around that no search for managers finds."""
    models = {resource.model for resource in registry().values() if not resource.directory}
    ways = [
        f"{model.__name__}.{relation.get_accessor_name()}"
        for model in models
        for relation in model._meta.related_objects
        if relation.related_model in models and relation.get_accessor_name()
    ]
    assert ways == []
