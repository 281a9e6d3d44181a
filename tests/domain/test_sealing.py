"""Sealing: opens only in its own place, tells tampering, knows its key."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relief.domain.errors import ReliefError
from relief.domain.sealing import AES, SM4, Keys, new_key

ROW = UUID(int=7)


def _keys(algorithm: int = SM4, versions: int = 1) -> Keys:
    return Keys(algorithm=algorithm, versions=tuple(new_key(v) for v in range(1, versions + 1)))


@pytest.mark.parametrize("algorithm", [SM4, AES])
def test_what_is_sealed_opens_again(algorithm: int) -> None:
    keys = _keys(algorithm)
    sealed = keys.seal("person", ROW, "sealed", "甄演一".encode())
    assert sealed[:2] == bytes((algorithm, 1))
    assert keys.open("person", ROW, "sealed", sealed).decode() == "甄演一"


@pytest.mark.parametrize(("table", "row", "column"), [("account", ROW, "sealed"), ("person", uuid4(), "sealed"), ("person", ROW, "other")])
def test_a_blob_moved_to_another_place_does_not_open(table: str, row: UUID, column: str) -> None:
    keys = _keys()
    sealed = keys.seal("person", ROW, "sealed", b"x")
    with pytest.raises(ReliefError) as error:
        keys.open(table, row, column, sealed)
    assert error.value.code == "seal_broken"


@given(plain=st.binary(max_size=64), position=st.integers(2, 200), bit=st.integers(0, 7))
def test_one_flipped_bit_is_noticed(plain: bytes, position: int, bit: int) -> None:
    keys = _keys()
    sealed = bytearray(keys.seal("person", ROW, "sealed", plain))
    sealed[2 + (position - 2) % (len(sealed) - 2)] ^= 1 << bit
    with pytest.raises(ReliefError):
        keys.open("person", ROW, "sealed", bytes(sealed))


def test_an_older_key_version_still_opens_and_a_missing_one_says_so() -> None:
    two = _keys(versions=2)
    old = Keys(algorithm=SM4, versions=two.versions[:1])
    sealed = old.seal("person", ROW, "sealed", b"x")
    assert two.open("person", ROW, "sealed", sealed) == b"x"
    with pytest.raises(ReliefError) as error:
        old.open("person", ROW, "sealed", two.seal("person", ROW, "sealed", b"x"))
    assert error.value.code == "key_missing"


def test_the_same_number_hashes_alike_only_within_its_kind() -> None:
    keys = _keys()
    assert keys.index("id", "1") == keys.index("id", "1")
    assert keys.index("id", "1") != keys.index("account", "1")
    assert keys.index("id", "1") != _keys().index("id", "1")
