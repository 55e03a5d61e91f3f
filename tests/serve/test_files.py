"""Ranges are compared with slices of the real bytes."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.serve.files import CHUNK, FilePart, UnsatisfiableError, parse_range


@given(st.integers(0, 50), st.integers(0, 60), st.integers(1, 50))
def test_a_range_is_the_slice_it_names(first, last, size):
    data = bytes(range(size))
    if first >= size and last >= first:
        with pytest.raises(UnsatisfiableError):
            parse_range(f"bytes={first}-{last}", size)
    elif last < first:
        assert parse_range(f"bytes={first}-{last}", size) is None
    else:
        start, end = parse_range(f"bytes={first}-{last}", size)
        assert data[start:end] == data[first : last + 1]


@given(st.integers(0, 60), st.integers(1, 50))
def test_open_ends_and_suffixes(number, size):
    data = bytes(range(size))
    if number < size:
        start, end = parse_range(f"bytes={number}-", size)
        assert data[start:end] == data[number:]
    if number:
        start, end = parse_range(f"bytes=-{number}", size)
        assert data[start:end] == data[-number:]
    else:
        with pytest.raises(UnsatisfiableError):
            parse_range("bytes=-0", size)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "items=0-1",
        "bytes=0-1,3-4",
        "bytes=1--2",
        "bytes=5-2",
        "\x00",
    ],
)
def test_what_is_no_single_range_means_the_whole_file(header):
    assert parse_range(header, 10) is None


def test_a_part_is_read_in_bounded_pieces(tmp_path):
    data = os.urandom(3 * CHUNK + 17)
    (tmp_path / "x").write_bytes(data)
    part = FilePart((tmp_path / "x").open("rb"), 5, 2 * CHUNK + 9)
    pieces = list(part)
    assert b"".join(pieces) == data[5 : 2 * CHUNK + 9]
    assert max(map(len, pieces)) <= CHUNK
    part.close()
    assert part.file.closed


def test_a_file_that_shrinks_meanwhile_ends_the_answer(tmp_path):
    (tmp_path / "x").write_bytes(bytes(10))
    part = FilePart((tmp_path / "x").open("rb"), 0, 20)
    assert b"".join(part) == bytes(10)
    part.close()
