"""Packed strings are the strings that went in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.data.packed_strings import PackedStrings, StringPacker


def packed_strings(texts):
    packer = StringPacker()
    for text in texts:
        packer.append(text)
    return PackedStrings(*packer.arrays())


@settings(deadline=None)
@given(st.lists(st.text()))
def test_strings_come_back(texts):
    packed = packed_strings(texts)
    assert list(packed) == texts
    assert [packed[i] for i in range(-len(texts), 0)] == texts
    assert packed[1:3] == texts[1:3]
    assert len(packed) == len(texts)


def test_names_of_files_may_be_any_bytes():
    name = b"caf\xe9.mp4".decode("utf-8", "surrogateescape")
    assert list(packed_strings([name])) == [name]


@pytest.mark.parametrize("index", [2, -3])
def test_beyond_the_end_is_an_index_error(index):
    with pytest.raises(IndexError, match="of 2"):
        packed_strings(["a", "b"])[index]
