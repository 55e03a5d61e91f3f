"""Whatever one file or row does becomes one listed failure; all else is in the index."""

from __future__ import annotations

import io
import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import toy
from sayso import Index
from sayso.core.errors import SaysoError
from sayso.index import writer as writer_module

GOOD = json.dumps({"path": "good.png"}).encode()
ODD = {
    "a list as a title": b'{"path": "odd.png", "title": ["a"]}',
    "an object as text": b'{"path": "odd.png", "text": {"a": 1}}',
    "a list of seconds": b'{"path": "odd.png", "start_s": [], "end_s": 1}',
    "true as seconds": b'{"path": "odd.png", "start_s": true, "end_s": 2}',
    "seconds that are no float": b'{"path": "odd.png", "start_s": 0, "end_s": 1' + b"0" * 400 + b"}",
    "seconds beyond any film": b'{"path": "odd.png", "start_s": 0, "end_s": 1e300}',
    "a NUL in the path": b'{"path": "a\\u0000b.png"}',
    "half a character in the path": b'{"path": "\\ud800.png"}',
    "a deeply nested value": b'{"path": "odd.png", "x": ' + b"[" * 900 + b"]" * 900 + b"}",
    "an endlessly nested value": b'{"path": "odd.png", "x": ' + b"[" * 99999 + b"]" * 99999 + b"}",
    "bytes that are no UTF-8": b'{"path": "\xff.png"}',
}
TOLD = {
    "a number": (b'{"path": "odd.png", "title": 1984}', "1984"),
    "a whole float": (b'{"path": "odd.png", "title": 7.0}', "7"),
    "half a character": (b'{"path": "odd.png", "title": "a\\ud800"}', "a\\ud800"),
    "a NUL": (b'{"path": "odd.png", "title": "a\\u0000b"}', "ab"),
}


@pytest.fixture
def folder(tmp_path):
    toy.make_picture(tmp_path / "good.png", "white")
    toy.make_picture(tmp_path / "odd.png", "red")
    return tmp_path


def indexed(folder, *paths):
    index = Index.open(folder / "x.index", toy.ColourEncoder())
    return index, index.add(*paths)


def names(index):
    return sorted(os.path.basename(path) for path in index.store.records())


def listed(folder, row):
    path = folder / "list.jsonl"
    path.write_bytes(GOOD + b"\n" + row + b"\n")
    return path


@pytest.mark.parametrize("row", ODD.values(), ids=ODD.keys())
def test_an_odd_row_is_one_failure(folder, row):
    index, report = indexed(folder, listed(folder, row))
    assert names(index) == ["good.png"]
    assert len(report.failures) == 1
    json.dumps(report.failures[0].to_dict(), ensure_ascii=False).encode()


@pytest.mark.parametrize(("row", "title"), TOLD.values(), ids=TOLD.keys())
def test_what_can_be_a_title_is_one(folder, row, title):
    index, report = indexed(folder, listed(folder, row))
    assert not report.failures
    assert title in [hit.title for hit in index.search("red")]


def test_odd_rows_of_a_table(folder):
    table = pa.table(
        {
            "path": ["good.png", "odd.png"],
            "day": pa.array([1, 2**62], pa.timestamp("us")),
        }
    )
    pq.write_table(table, folder / "list.parquet")
    index, report = indexed(folder, folder / "list.parquet")
    assert names(index) == ["good.png"]
    assert len(report.failures) == 1


def test_a_list_that_cannot_be_read_does_not_stop_the_others(folder):
    (folder / "bad.jsonl").write_text("nothing\n")
    index, report = indexed(folder, folder / "bad.jsonl", folder / "good.png")
    assert names(index) == ["good.png"]
    assert [failure.path for failure in report.failures] == [str(folder / "bad.jsonl")]
    with pytest.raises(SaysoError, match="it is no JSON"):
        index.add(folder / "bad.jsonl")


def test_a_date_that_no_table_holds(folder):
    try:
        os.utime(folder / "odd.png", ns=(0, 2**63))
    except (OSError, OverflowError):
        pytest.skip("this file system knows no such date")
    if (folder / "odd.png").stat().st_mtime_ns < 2**63:
        pytest.skip("this file system knows no such date")
    index, report = indexed(folder, folder)
    assert names(index) == ["good.png"]
    assert "2261" in report.failures[0].error


def test_a_row_longer_than_any_is_passed_over(folder, monkeypatch):
    monkeypatch.setattr("sayso.data.json_lines.LONGEST_LINE", 1000)
    path = listed(folder, b'{"path": "odd.png", "title": "' + b"x" * 3_000_000 + b'"}')
    with path.open("ab") as file:
        file.write(b'{"path": "odd.png"}')
    index, report = indexed(folder, path)
    assert names(index) == ["good.png", "odd.png"]
    assert "row 2" in report.failures[0].error


def test_a_clip_that_spoils_its_batch_is_left_out(folder):
    """The encoder fails on anything red, or answers with what is no number."""

    class Fails(toy.ColourEncoder):
        def encode_video(self, clips):
            if (clips[..., 1] < 100).any():
                raise RuntimeError("red")
            return super().encode_video(clips)

    class NoNumber(toy.ColourEncoder):
        def encode_video(self, clips):
            red = (clips[..., 1] < 100).any(axis=(1, 2, 3))
            return np.where(red[:, None], np.nan, super().encode_video(clips))

    for k, encoder in enumerate((Fails(), NoNumber())):
        index = Index.open(folder / f"{k}.index", encoder)
        report = index.add(folder / "good.png", folder / "odd.png")
        assert names(index) == ["good.png"]
        assert [failure.path for failure in report.failures] == [str(folder / "odd.png")]


def test_an_encoder_that_does_nothing_is_an_error(folder):
    class Broken(toy.ColourEncoder):
        def encode_video(self, clips):
            raise RuntimeError("no device")

    with pytest.raises(RuntimeError, match="no device"):
        Index.open(folder / "x.index", Broken()).add(folder)


@pytest.mark.parametrize("which", ["_clip_row", "_media_row"])
def test_a_row_that_no_table_takes_is_left_out(folder, monkeypatch, which):
    """Rows of a batch are tried one by one, whatever may come to stand in them."""
    make = getattr(writer_module, which)

    def odd(item, number):
        row = make(item, number)
        return {**row, "title": 7 if item.job.path.endswith("odd.png") else row["title"]}

    monkeypatch.setattr(writer_module, which, odd)
    index, report = indexed(folder, folder)
    assert names(index) == ["good.png"]
    assert index.store.clips.count_rows() == 1
    assert [failure.path for failure in report.failures] == [str(folder / "odd.png")]


def test_names_on_stdin_are_bytes(folder, monkeypatch):
    odd = os.fsencode(folder) + b"/\xff\n.png"
    with open(odd, "wb") as file:
        file.write((folder / "odd.png").read_bytes())
    from sayso.data.sources import list_sources, paths_named

    given = io.TextIOWrapper(io.BytesIO(odd + b"\0" + os.fsencode(folder / "good.png") + b"\0"))
    monkeypatch.setattr("sys.stdin", given)
    found = list(paths_named(["-"], zero=True))
    assert found == [os.fsdecode(odd), str(folder / "good.png")]
    index, report = indexed(folder, *found)
    assert names(index) == ["good.png"]
    assert len(report.failures) == 1
    assert len(list_sources(found).files) == 2
