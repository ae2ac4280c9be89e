"""Large documents are read through a small window, and lines are told from documents."""

import json

import pytest

from healthrecords.importing.document import members
from healthrecords.importing.files import survey
from healthrecords.importing.reading import items
from healthrecords.jsontext import BadJSON

from .conftest import MARIA, bundle, patient


class Source:
    """A text that is given in pieces, and how much of it was taken."""

    def __init__(self, text):
        self.text, self.taken = text, 0

    def read(self, size):
        piece = self.text[self.taken : self.taken + size]
        self.taken += len(piece)
        return piece


def test_an_entry_is_given_before_the_rest_is_read():
    source = Source(json.dumps({"type": "batch", "entry": [{"n": n, "pad": "x" * 1000} for n in range(20_000)]}))
    given = members(source.read)
    assert next(given) == ("type", "batch")
    assert next(given) == ("entry", {"n": 0, "pad": "x" * 1000})
    assert source.taken < len(source.text) / 8
    for n in range(1, 20_000):
        assert next(given)[1]["n"] == n
    assert list(given) == []


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_values_that_are_cut_anywhere_are_put_together_again(monkeypatch, size):
    text = json.dumps({"total": 1234, "entry": [{"a": 'é\\"{[', "b": [True, None, 1.5]}, {}], "x": {"y": "z"}})
    source = Source(text)
    monkeypatch.setattr("healthrecords.importing.document._CHUNK", size)
    assert json.dumps(list(members(lambda _: source.read(size))), default=str) == json.dumps(
        [("total", 1234), ("entry", {"a": 'é\\"{[', "b": [True, None, "1.5"]}), ("entry", {}), ("x", {"y": "z"})]
    )


@pytest.mark.parametrize("text", ["{}", ' { "entry" : [ ] } ', '{"a":{}}'])
def test_small_documents_are_read_to_their_end(text):
    assert [name for name, _ in members(Source(text).read)] == (["a"] if "a" in text else [])


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a"}', '{"a":1,}', '{"a":1} x', '{"entry":[1', '{"entry":[1 2]}'])
def test_what_is_no_document_is_refused(text):
    with pytest.raises(BadJSON):
        list(members(Source(text).read))


def test_lines_and_documents_are_told_apart(file):
    pretty = json.dumps(bundle(MARIA), indent=1)
    assert survey(file(MARIA, patient(1))).by_line
    assert survey(file('{"resourceType": "Patient", "id":', MARIA)).by_line
    assert survey(file("", MARIA)).by_line
    assert not survey(file(pretty)).by_line
    assert [item.key for item in items(survey(file(pretty)))] == [("Patient", "maria")]


def test_a_long_single_line_is_read_as_a_document_and_several_as_lines(file):
    big = bundle(*(patient(n, text={"div": "x" * 500_000}) for n in range(5)))
    one, two = survey(file(big, name="one")), survey(file(big, big, name="two"))
    assert (one.by_line, two.by_line) == (False, True)
    assert [item.body["id"] for item in items(one)] == ["p0", "p1", "p2", "p3", "p4"]
    assert [item.place.line for item in items(two)] == [1] * 5 + [2] * 5


def test_the_digest_is_that_of_the_content_packed_or_not(file):
    plain, packed = survey(file(MARIA, name="a")), survey(file(MARIA, name="b", packed=True))
    assert (plain.digest, plain.size) == (packed.digest, packed.size)
    assert plain.digest != survey(file(patient(1))).digest


def test_a_byte_order_mark_and_white_space_do_not_matter(file):
    surveyed = survey(file("\ufeff" + json.dumps(bundle(MARIA), indent=1) + "\n\n"))
    assert [item.fault for item in items(surveyed)] == [""]
