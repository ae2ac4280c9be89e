"""Ranges ask for what is there, or for nothing."""

from hypothesis import given
from hypothesis import strategies as st

from documents.fhir.ranges import Unsatisfiable, wanted

numbers = st.integers(0, 30).map(str) | st.just("") | st.integers(10**18, 10**40).map(str)


@given(first=numbers, last=numbers, size=st.integers(1, 20))
def test_a_range_lies_within_the_content(first, last, size):
    content = bytes(range(size))
    try:
        span = wanted(f"bytes={first}-{last}", size)
    except Unsatisfiable:
        assert (first and int(first) >= size) or (not first and int(last) == 0)
        return
    if span is None:
        assert not (first or last) or (first and last and int(last) < int(first))
    elif first:
        assert content[slice(*span)] == content[int(first) : int(last) + 1 if last else None] != b""
    else:
        assert content[slice(*span)] == content[-int(last) :] != b""


@given(header=st.text(max_size=20))
def test_any_other_header_asks_for_the_whole_or_a_part(header):
    try:
        span = wanted(header, 10)
    except Unsatisfiable:
        return
    assert span is None or 0 <= span[0] < span[1] <= 10
