"""The tree of RFC 6962: known roots, and paths that lead where they should and nowhere else."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit import merkle

# The roots over the first n of these leaves, from the test data of Certificate Transparency's reference code.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def hashes(count):
    return [merkle.leaf_hash(bytes([number % 256, number // 256])) for number in range(count)]


@pytest.mark.parametrize("count", range(1, 9))
def test_the_roots_are_those_of_certificate_transparency(count):
    leaves = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES[:count]]
    assert merkle.root(leaves).hex() == ROOTS[count - 1]


def test_the_root_over_nothing_is_the_hash_of_nothing():
    assert merkle.root([]) == sha256().digest()


@given(st.integers(1, 300), st.data())
def test_a_path_leads_to_the_root_from_its_leaf_alone(count, data):
    leaves = hashes(count)
    index = data.draw(st.integers(0, count - 1))
    path = merkle.path(leaves, index)
    assert merkle.root_by_path(leaves[index], index, count, path) == merkle.root(leaves)
    assert merkle.root_by_path(merkle.leaf_hash(b"other"), index, count, path) != merkle.root(leaves)


@pytest.mark.parametrize(("index", "size", "cut"), [(5, 5, 0), (-1, 5, 0), (2, 5, 1), (4, 5, -1)])
def test_a_path_that_does_not_fit_is_refused(index, size, cut):
    path = merkle.path(hashes(5), min(max(index, 0), 4))
    path = [*path, b"x" * 32] if cut < 0 else path[cut:]
    with pytest.raises(ValueError, match=r"no leaf|too short|too long"):
        merkle.root_by_path(hashes(5)[min(max(index, 0), 4)], index, size, path)
