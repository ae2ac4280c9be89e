"""Sealed content opens as it went in, and in no other way."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import sealing
from documents.sealing import CHUNK, Damaged, Seal, new_key, sealed_size, span_of

BORDERS = sorted({max(0, n * CHUNK + d) for n in range(4) for d in (-1, 0, 1)})
HEADER, STEP = 16, CHUNK + 16
sizes = st.sampled_from(BORDERS) | st.integers(0, 3 * CHUNK)


def made(size, name="a"):
    seal, plain = Seal(new_key(), name), os.urandom(size)
    return seal, plain, b"".join(seal.close([plain]))


def opened(seal, sealed, piece=65_536):
    return b"".join(seal.open(sealed[n : n + piece] for n in range(0, len(sealed), piece)))


def chunks(sealed):
    body = sealed[HEADER:]
    return [body[n : n + STEP] for n in range(0, len(body), STEP)]


@settings(max_examples=40, deadline=None)
@given(size=sizes, piece=st.sampled_from([1000, 65_536, CHUNK, STEP, STEP + 1, 10**7]))
def test_content_of_any_size_comes_back_whatever_the_pieces(size, piece):
    seal, plain, _ = made(size)
    sealed = b"".join(seal.close(plain[n : n + piece] for n in range(0, size, piece)))
    assert len(sealed) == sealed_size(size)
    assert opened(seal, sealed, piece) == plain


@settings(max_examples=60, deadline=None)
@given(size=sizes.filter(bool), data=st.data())
def test_any_part_comes_back_from_its_chunks_alone(size, data):
    seal, plain, sealed = made(size)
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    span = span_of(start, end, size)
    assert b"".join(seal.open_part([sealed[span.begin : span.end]], span, size)) == plain[start:end]
    assert span.end - span.begin <= (end - start) + 2 * STEP


@settings(max_examples=60, deadline=None)
@given(size=st.sampled_from([0, 1, 100, CHUNK, CHUNK + 1]), data=st.data())
def test_a_flipped_bit_anywhere_is_refused(size, data):
    seal, _, sealed = made(size)
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    changed = bytearray(sealed)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Damaged):
        opened(seal, bytes(changed))


def test_each_bit_of_a_short_object_counts():
    seal, _, sealed = made(5)
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Damaged):
            opened(seal, bytes(changed))


@settings(max_examples=60, deadline=None)
@given(size=sizes, data=st.data())
def test_a_cut_anywhere_is_refused(size, data):
    seal, _, sealed = made(size)
    borders = [HEADER + n * STEP for n in range(4) if HEADER + n * STEP < len(sealed)]
    keep = data.draw(st.integers(0, len(sealed) - 1) | st.sampled_from([0, *borders]))
    with pytest.raises(Damaged):
        opened(seal, sealed[:keep])


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2, 1), (2, 1, 0), (0, 0, 1, 2), (0, 2), (1, 2), (0, 1, 2, 2)])
def test_chunks_in_another_order_or_number_are_refused(order):
    seal, _, sealed = made(3 * CHUNK)
    parts = chunks(sealed)
    with pytest.raises(Damaged):
        opened(seal, sealed[:HEADER] + b"".join(parts[n] for n in order))


@pytest.mark.parametrize("more", [b"\0", b"\0" * 16, b"\0" * STEP])
@pytest.mark.parametrize("size", [10, CHUNK])
def test_anything_behind_the_end_is_refused(size, more):
    seal, _, sealed = made(size)
    with pytest.raises(Damaged):
        opened(seal, sealed + more)


def test_another_object_is_refused_also_under_the_same_key():
    seal, _, sealed = made(CHUNK + 5, "a")
    other = Seal(seal.key, "b")
    theirs = b"".join(other.close([os.urandom(CHUNK + 5)]))
    mixed = sealed[:HEADER] + chunks(theirs)[0] + chunks(sealed)[1]
    for wrong in (theirs, mixed, made(CHUNK + 5, "a")[2]):
        with pytest.raises(Damaged):
            opened(seal, wrong)


@pytest.mark.parametrize("wrong", ["moved", "cut", "of another size"])
def test_a_part_from_another_place_is_refused(wrong):
    seal, _, sealed = made(3 * CHUNK)
    span, size = span_of(CHUNK + 5, CHUNK + 10, 3 * CHUNK), 3 * CHUNK
    begin, end = (span.begin, span.end) if wrong != "moved" else (span.begin - STEP, span.end - STEP)
    part = sealed[begin : end if wrong != "cut" else begin]
    with pytest.raises(Damaged):
        b"".join(seal.open_part([part], span, 2 * CHUNK if wrong == "of another size" else size))


def test_nothing_is_held_beyond_a_chunk_or_two():
    seal, ahead = Seal(new_key(), "a"), []

    def endless():
        for n in range(1000):
            ahead.append(n)
            yield bytes(CHUNK // 4)

    stream = seal.open(seal.close(endless()))
    for n in range(20):
        assert len(next(stream)) == CHUNK
        assert len(ahead) <= (n + 4) * 4


def test_no_two_chunks_are_sealed_alike():
    seal, _, _ = made(0)
    parts = chunks(b"".join(seal.close([bytes(3 * CHUNK)])))
    assert len(set(parts)) == 3
    assert sealing.TAG == 16
