"""records demo: made-up people, never beside real ones."""

from healthrecords.fhir.resource import registry

from .conftest import MARIA, PULSE


def sources(kind):
    return set(registry()[kind].model.objects.values_list("source", flat=True))


def test_the_demo_data_is_loaded_once(records):
    told = records("demo")
    assert told.code == 0
    assert told["failed"] == {}
    assert told["created"]["Patient"] == 25
    assert sources("Patient") == sources("Organization") == {"import:demo"}
    again = records("demo")
    assert (again.code, again["created"], again["updated"]) == (0, {}, {})


def test_the_demo_data_is_never_added_to_real_records(records, file):
    for real in (MARIA, PULSE):
        records("import", file(real))
        told = records("demo")
        assert (told.code, told["summary"]) == (2, "There are real records here; demo data is never added to them.")
    assert sources("Patient") == {"import:files"}


def test_a_record_made_by_hand_is_a_real_one(records, integrator):
    records("demo")
    integrator.create()
    assert records("demo").code == 2


def test_real_records_may_join_the_demo_data(records, file):
    records("demo")
    assert records("import", file(MARIA))["created"] == {"Patient": 1}
