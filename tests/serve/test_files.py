"""Ranges are compared with slices of the real bytes."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from sayso.serve.files import CHUNK, FilePart, UnsatisfiableError, parse_range, send_file


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


@pytest.fixture
def ask(tmp_path):
    """Return a function that asks for a file of ten bytes with some headers."""
    path = tmp_path / "a film.mp4"
    path.write_bytes(b"0123456789")

    async def app(scope, receive, send):
        headers = Headers(scope=scope)
        await send_file(str(path), "video/mp4", headers, attachment="x-save" in headers)(scope, receive, send)

    return lambda **headers: TestClient(app).get(
        "/", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


@pytest.mark.parametrize(
    ("wanted", "status", "body", "named"),
    [
        ("", 200, b"0123456789", None),
        ("bytes=0-9", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=2-5", 206, b"2345", "bytes 2-5/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=5-2", 200, b"0123456789", None),
    ],
)
def test_an_answer_says_what_it_holds(ask, wanted, status, body, named):
    answer = ask(range=wanted)
    assert (answer.status_code, answer.content, answer.headers.get("content-range")) == (status, body, named)
    assert answer.headers["content-length"] == str(len(body))
    assert (answer.headers["content-type"], answer.headers["accept-ranges"]) == ("video/mp4", "bytes")
    assert "content-disposition" not in answer.headers


def test_who_has_the_file_is_not_sent_it_again(ask):
    etag = ask().headers["etag"]
    for known in ("*", " * ", etag, f"W/{etag}", f'"other", {etag}'):
        answer = ask(if_none_match=known)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    for other in ('"other"', "", '"*"'):
        assert ask(if_none_match=other).status_code == 200


def test_a_part_is_sent_only_of_the_file_that_the_client_has_the_rest_of(ask):
    whole = ask()
    for known in (whole.headers["etag"], whole.headers["last-modified"]):
        assert ask(range="bytes=1-1", if_range=known).content == b"1"
    answer = ask(range="bytes=1-1", if_range='"other"')
    assert (answer.status_code, answer.content) == (200, b"0123456789")


def test_a_file_to_be_saved_has_its_name(ask):
    assert ask(x_save="1").headers["content-disposition"] == "attachment; filename*=UTF-8''a%20film.mp4"
