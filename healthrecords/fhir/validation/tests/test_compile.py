"""The compiler: HL7's packages in, the tables that ship out; the same for the same input."""

import gzip
import io
import json
import tarfile

import pytest

from healthrecords.fhir.validation import compile as compiler
from healthrecords.fhir.validation import table

VALUE_SET = {
    "resourceType": "ValueSet",
    "url": "http://x/ValueSet/state",
    "compose": {"include": [{"system": "http://x/state"}]},
}
CODE_SYSTEM = {
    "resourceType": "CodeSystem",
    "url": "http://x/state",
    "content": "complete",
    "concept": [{"code": "on", "concept": [{"code": "dim"}]}, {"code": "off"}],
}


def element(path, base=None, **more):
    bounds = {"min": 0, "max": "1"} | {name: more[name] for name in ("min", "max") if name in more}
    return {"id": path, "path": path, "base": {"path": base or path, **bounds}, **bounds, **more}


def lamp(**state):
    constraint = {"key": "lmp-1", "severity": "error", "human": "A lamp has a state or a part", "expression": "x"}
    return {
        "resourceType": "StructureDefinition", "id": "Lamp", "url": "http://hl7.org/fhir/StructureDefinition/Lamp",
        "type": "Lamp", "kind": "resource", "abstract": False, "derivation": "specialization", "name": "Lamp",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/DomainResource",
        "snapshot": {"element": [
            element("Lamp", constraint=[constraint]),
            element("Lamp.id", "Resource.id", type=[{"code": "http://hl7.org/fhirpath/System.String"}]),
            element("Lamp.state", min=1, type=[{"code": "code"}], binding={"strength": "required",
                    "valueSet": "http://x/ValueSet/state|1"}, **state),
            element("Lamp.made[x]", type=[{"code": "date"}, {"code": "Period"}]),
            element("Lamp.owner", type=[{"code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Patient"]}]),
            element("Lamp.part", max="*", type=[{"code": "BackboneElement"}]),
            element("Lamp.part.name", type=[{"code": "string"}]),
            element("Lamp.part.part", max="*", contentReference="#Lamp.part"),
        ]},
    }  # fmt: skip


def package(folder, name, version, *definitions):
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / f"{name}.tgz", "w:gz") as archive:
        for number, content in enumerate([{"name": name, "version": version}, *definitions]):
            text = json.dumps(content).encode()
            member = tarfile.TarInfo("package/package.json" if not number else f"package/d{number}.json")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))


@pytest.fixture
def source(tmp_path):
    package(tmp_path / "in", "hl7.fhir.r4.core", "4.0.1", lamp(), VALUE_SET, CODE_SYSTEM)
    return tmp_path / "in"


def compiled(source, output):
    output.mkdir()
    assert compiler.main([str(source), str(output)]) == 0
    return {path.name: path.read_bytes() for path in output.iterdir()}


def test_a_definition_becomes_rows_without_what_it_inherits(source, tmp_path):
    made = json.loads(gzip.decompress(compiled(source, tmp_path / "out")["r4.json.gz"]))
    assert made["types"]["Lamp"] == {
        "base": "DomainResource",
        "resource": True,
        "rules": ["lmp-1"],
        "elements": {
            "state": {"types": ["code"], "min": 1, "codes": "http://x/ValueSet/state"},
            "made[x]": {"types": ["date", "Period"]},
            "owner": {"types": ["Reference"], "targets": ["Patient"]},
            "part": {"types": ["Lamp.part"], "many": True},
        },
    }
    assert made["types"]["Lamp.part"]["elements"] == {
        "name": {"types": ["string"]},
        "part": {"types": ["Lamp.part"], "many": True},
    }
    assert made["codes"] == {"http://x/ValueSet/state": {"http://x/state": ["on", "dim", "off"]}}
    assert made["rules"] == {"lmp-1": "A lamp has a state or a part"}


def test_a_profile_keeps_only_what_it_adds(source, tmp_path):
    profile = lamp() | {"id": "bright", "url": "http://x/bright", "derivation": "constraint", "title": "Bright lamp"}
    profile["snapshot"]["element"][2] |= {"fixedCode": "on"}
    part = element("Lamp.part", min=1, max="*", type=[{"code": "BackboneElement"}])
    part["base"] = {"path": "Lamp.part", "min": 0, "max": "*"}
    profile["snapshot"]["element"][5] = part
    package(source, "hl7.fhir.us.core", "8.0.0", profile)
    made = json.loads(gzip.decompress(compiled(source, tmp_path / "out")["us-core-8.0.0.json.gz"]))
    assert made["profiles"] == {
        "http://x/bright": {
            "type": "Lamp",
            "title": "Bright lamp",
            "children": {"state": {"fixed": "on"}, "part": {"min": 1}},
        }
    }


def test_the_same_packages_give_the_same_files(source, tmp_path):
    assert compiled(source, tmp_path / "one") == compiled(source, tmp_path / "two")


def test_a_folder_without_r4_is_refused(tmp_path, capsys):
    assert compiler.main([str(tmp_path), str(tmp_path)]) == 2
    assert compiler.main([]) == 2
    assert "4.0.1" in capsys.readouterr().err


def test_what_ships_holds_all_of_r4():
    assert len(table.resource_types()) == 146
    kinds = [table.type_named(name) for name in table.rows()["types"]]
    assert all(
        field.check or field.type_name in table.rows()["types"] for kind in kinds for field in kind.fields.values()
    )
