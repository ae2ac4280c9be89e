"""The XHTML of a narrative: well-formed, without active content, and not empty."""

import pytest

from healthrecords.fhir.validation import validate

NAMESPACE = 'xmlns="http://www.w3.org/1999/xhtml"'


def faults(div):
    body = {"resourceType": "Patient", "text": {"status": "generated", "div": div}}
    return [(each.path, each.text.partition(":")[0]) for each in validate(body)]


@pytest.mark.parametrize(
    "inner",
    ["x", "<p>a <b>b</b> &amp; &#160; ü</p>", '<img src="#a" alt=""/>',
     '<table border="1"><tr><td nowrap="nowrap">x</td></tr></table>',
     '<a href="http://example.org" name="x">x</a>', '<p style="color: red" xml:lang="de">x</p>'],
)  # fmt: skip
def test_ordinary_text_passes(inner):
    assert faults(f"<div {NAMESPACE}>{inner}</div>") == []


@pytest.mark.parametrize(
    "inner",
    ["<script>alert(1)</script>x", '<p onclick="x()">x</p>', '<a href=" JavaScript:x()">x</a>', "<form>x</form>",
     "<iframe/>x", "<object>x</object>", '<img src="x" onerror="x()"/>', "<style>p {}</style>x", "<head/>x"],
)  # fmt: skip
def test_active_content_is_refused(inner):
    assert faults(f"<div {NAMESPACE}>{inner}</div>") == [("Patient.text", "txt-1")]


@pytest.mark.parametrize("inner", ["", "  \n", "<p> </p>"])
def test_a_narrative_that_says_nothing_is_refused(inner):
    assert faults(f"<div {NAMESPACE}>{inner}</div>") == [("Patient.text", "txt-2")]


@pytest.mark.parametrize(
    "div",
    [f"<div {NAMESPACE}><p>a</div>", "text", "<div>x</div>", f"<p {NAMESPACE}>x</p>", "",
     f"<div {NAMESPACE}>&nbsp;</div>",
     f'<!DOCTYPE d [<!ENTITY e "x">]><div {NAMESPACE}>&e;</div>', f"<div {NAMESPACE}>x</div><p>y</p>"],
)  # fmt: skip
def test_what_is_no_xhtml_is_refused(div):
    assert [path for path, _ in faults(div)] == ["Patient.text"]
