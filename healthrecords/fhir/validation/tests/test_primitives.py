"""Each primitive type of R4: what it takes and what it does not."""

from decimal import Decimal

import pytest

from healthrecords.fhir.validation.primitives import CHECKS

GOOD = {
    "boolean": [True, False],
    "decimal": [0, 1, -3, Decimal("1.10"), Decimal("1e3"), 2.5],
    "integer": [0, -(2**31), 2**31 - 1],
    "positiveInt": [1, 2**31 - 1],
    "unsignedInt": [0, 7],
    "string": ["x", " x ", "naïve – 检查 ✓", "a\tb\r\nc"],
    "markdown": ["*x*\n\n- y"],
    "xhtml": ["<div/>"],
    "code": ["x", "two words", "a-b", "1.0", ">="],
    "id": ["1", "A-b.9", "x" * 64],
    "uri": ["http://example.org/a?b#c", "urn:uuid:C757873D-ec9a-4326-a141-556f43239520", "urn:oid:1.2.3", "a/b", "#x"],
    "url": ["mailto:a@example.org"],
    "canonical": ["http://example.org/x|1.0"],
    "oid": ["urn:oid:2.16.840.1", "urn:oid:1.0"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "date": ["2024", "2024-02", "2024-02-29", "0001", "9999-12-31"],
    "dateTime": ["2024", "2024-02-29T10:00:00Z", "2016-12-31T23:59:60+00:00", "2024-01-01T00:00:00.123456-14:00"],
    "instant": ["2024-02-29T10:00:00Z", "2024-02-29T10:00:00.001+05:30"],
    "time": ["00:00:00", "23:59:59.5"],
    "base64Binary": ["aGk=", "aGkh", "aG\n kh"],
}  # fmt: skip
BAD = {
    "boolean": ["true", 1, 0, None],
    "decimal": ["1", True, float("nan"), float("inf"), Decimal("NaN"), None],
    "integer": ["1", 1.0, Decimal("1.0"), 2**31, True],
    "positiveInt": [0, -1, "1"],
    "unsignedInt": [-1, 0.0],
    "string": ["", 1, None, "a\x00b", "a\x1fb", "x" * (1024 * 1024 + 1)],
    "markdown": ["", 1],
    "xhtml": [1, None],
    "code": ["", " x", "x ", "a  b", "a\tb", "a\nb", 1],
    "id": ["", "a_b", "x" * 65, "a b", "ä", 1, "a\n"],
    "uri": ["", "a b", "urn:uuid:1", "urn:oid:3.1", 1, "a\n"],
    "url": ["has space"],
    "canonical": [1.0],
    "oid": ["1.2.3", "urn:oid:1.02", "urn:oid:1"],
    "uuid": ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"],
    "date": ["0000", "24", "2024-13", "2023-02-29", "2024-2-1", "20240101", "2024-01-01T00:00:00Z", 2024,
             "2024-01-01\n"],
    "dateTime": ["2024-01-01T10:00Z", "2024-01-01T10:00:00", "2024-01-01T25:00:00Z", "2024-01T10:00:00Z",
                 "2024-01-01 10:00:00Z", "2024-01-01T10:00:00+14:30"],
    "instant": ["2024", "2024-01-01", "2024-01-01T10:00:00"],
    "time": ["10:00", "24:00:00", "10:00:00Z", 10],
    "base64Binary": ["!!!!", "abc", "a===", "", "  ", 1],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, each) for name, values in GOOD.items() for each in values])
def test_a_good_value_passes(name, value):
    assert CHECKS[name](value) is None


@pytest.mark.parametrize(("name", "value"), [(name, each) for name, values in BAD.items() for each in values])
def test_a_bad_value_is_told(name, value):
    assert CHECKS[name](value)


def test_every_primitive_type_is_tried():
    assert set(GOOD) == set(BAD) == set(CHECKS)
