"""Which files are found: folders, manifests, lists; each once, and what is wrong is told."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sayso.core.errors import SaysoError
from sayso.core.io import write_atomic
from sayso.core.ownership import writing
from sayso.core.types import Span
from sayso.data.manifest import Failure, ListedFile, Row, read_manifest, write_failures
from sayso.data.sources import find_sources, list_sources
from sayso.text import find_subtitles


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def names(found):
    return [os.path.basename(source.path) for source in found]


def test_a_tree_is_walked_in_order_without_what_is_hidden_or_no_medium(tmp_path):
    for name in ("b.mp4", "a.jpg", "notes.txt", ".hidden.mp4", ".git/x.mp4", "sub/c.mkv", "my.index/d.mp4"):
        touch(tmp_path / name)
    found = find_sources([str(tmp_path)], skip=str(tmp_path / "my.index"))
    assert names(found) == ["a.jpg", "b.mp4", "c.mkv"]


def test_what_sayso_drew_of_other_pictures_is_left_out_until_somebody_changes_it(tmp_path):
    for name in ("a.jpg", "sub/b.jpg"):
        touch(tmp_path / name)
    for verb, name in (("localize", "overlays/a.cat.png"), ("search", "sheet.png"), ("clip", "found.mp4")):
        with writing(verb):
            write_atomic(tmp_path / name, b"drawn")
    assert names(find_sources([str(tmp_path)])) == ["a.jpg", "found.mp4", "b.jpg"]
    listing = list_sources([str(tmp_path)])
    assert [os.path.basename(path) for path in listing.skipped] == ["sheet.png", "a.cat.png"]
    assert names(find_sources([str(tmp_path / "sheet.png")])) == ["sheet.png"]
    (tmp_path / "sheet.png").write_bytes(b"mine")
    assert names(find_sources([str(tmp_path)])) == ["a.jpg", "found.mp4", "sheet.png", "b.jpg"]


def test_loops_of_links_end_and_linked_folders_are_walked_once(tmp_path):
    touch(tmp_path / "a" / "x.mp4")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "a")
    assert names(find_sources([str(tmp_path)])) == ["x.mp4"]


def test_a_file_named_twice_comes_once_and_a_missing_one_is_a_failure(tmp_path):
    video = touch(tmp_path / "x.mp4")
    found = list(find_sources([str(video), str(tmp_path), str(tmp_path / "gone.mp4")]))
    assert names(found) == ["x.mp4", "gone.mp4"]
    assert isinstance(found[1], Failure)
    assert "No such file" in found[1].error


def test_stdin_lists_files(tmp_path, monkeypatch):
    video = touch(tmp_path / "a b.mp4")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{video}\n\n"))
    assert names(find_sources(["-"])) == ["a b.mp4"]


ROWS = [
    {"path": "x.mp4", "start_s": 1.5, "end_s": 3.0, "text": "hello", "title": "X", "labels": "a,b"},
    {"path": "x.mp4", "start_s": 5.0, "end_s": 6.0, "text": None, "title": None, "labels": None},
    {"path": "y.jpg", "start_s": None, "end_s": None, "text": "a cat", "title": None, "labels": None},
]


def write(path, rows):
    if path.suffix == ".csv":
        keys = list(rows[0])
        lines = [",".join('"' + str(row[k]).replace("None", "") + '"' for k in keys) for row in rows]
        path.write_text("\n".join([",".join(keys), *lines]), encoding="utf-8-sig")
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_manifest_says_the_same_in_every_format(tmp_path, suffix):
    x, y = read_manifest(write(tmp_path / f"m{suffix}", ROWS))
    assert x.path == str(tmp_path / "x.mp4")
    assert x.rows == (Row(Span(1.5, 3.0), "hello", "X", {"labels": "a,b"}), Row(Span(5.0, 6.0)))
    assert y.rows == (Row(None, "a cat"),)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"path": "x.mp4", "start_s": 3}, "go together"),
        ({"path": "x.mp4", "start_s": 3, "end_s": 2}, "end after it starts"),
        ({"path": "x.mp4", "start_s": 3, "end_s": 3}, "empty"),
        ({"path": "x.mp4", "start_s": "three", "end_s": 5}, "three"),
        ({"path": "x.mp4", "start_s": float("nan"), "end_s": 5}, "nan"),
    ],
)
def test_a_wrong_row_fails_its_file_alone(tmp_path, row, why):
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps(row) + '\n{"path": "fine.mp4"}')
    bad, fine = read_manifest(path)
    assert isinstance(bad, Failure)
    assert why in bad.error
    assert names([fine]) == ["fine.mp4"]


def test_each_wrong_row_is_told_and_takes_no_other_with_it(tmp_path):
    path, video = tmp_path / "m.jsonl", touch(tmp_path / "x.mp4")
    rows = [
        {"path": "x.mp4", "text": "kept"},
        [],
        3,
        {"path": "x.mp4", "start_s": []},
        {"path": "x.mp4", "end_s": 1},
    ]
    path.write_text("\n".join(map(json.dumps, [*rows, {"path": "gone.mp4", "start_s": "a"}])))
    found = list(find_sources([str(path), str(tmp_path), str(path)]))
    failures = [one.error for one in found if isinstance(one, Failure)]
    assert [one.partition("row ")[2][0] for one in failures] == ["2", "3", "4", "5", "6"]
    assert [one for one in found if not isinstance(one, Failure)] == [
        ListedFile(str(video), (Row(None, "kept"),), named=True)
    ]


def test_a_folder_that_nobody_may_open_is_told(tmp_path, monkeypatch):
    locked, really = tmp_path / "locked", os.scandir
    locked.mkdir()

    def refused(path="."):
        if str(path) == str(locked):
            raise PermissionError(13, "Permission denied", str(path))
        return really(path)

    monkeypatch.setattr(os, "scandir", refused)
    listing = list_sources([str(locked), str(touch(tmp_path / "x.mp4"))])
    assert (names(listing.files), listing.skipped) == (["x.mp4"], ())
    assert [failure.error for failure in listing.failures] == [
        f"the folder {locked} cannot be read: Permission denied"
    ]


def test_a_list_of_failures_reads_lists_again(tmp_path):
    (tmp_path / "m.jsonl").write_text('{"path": "x.mp4", "text": "kept"}\n[]\n3\n')
    failures = [one for one in read_manifest(tmp_path / "m.jsonl") if isinstance(one, Failure)]
    own = Failure(str(tmp_path / "failures.jsonl"), "manifest", "it lists itself")
    gone = Failure(str(tmp_path / "gone.csv"), "manifest", "it was there")
    write_failures([*failures, own, gone], tmp_path / "failures.jsonl")
    *others, video, last = read_manifest(tmp_path / "failures.jsonl")
    assert video == ListedFile(str(tmp_path / "x.mp4"), (Row(None, "kept"),), named=True)
    assert (others, last.path) == (failures, gone.path)


@pytest.mark.parametrize("content", ['{"file": "x.mp4"}', "[1]", "{", b"\xff\xfe\xfd"])
def test_what_is_no_manifest_is_one_sentence(tmp_path, content):
    path = tmp_path / "m.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SaysoError, match=r"m\.jsonl"):
        list(read_manifest(path))


def test_each_wrong_row_of_a_list_is_told(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"path": "a.mp4"}\n{"nothing": 1}\n{"path": ""}\nno json\n')
    listing = list_sources([str(tmp_path / "x.jsonl"), str(tmp_path / "x.jsonl")])
    assert [file.path for file in listing.files] == [str(tmp_path / "a.mp4")]
    assert [re.search(r"row (\d)", failure.error)[1] for failure in listing.failures] == ["2", "3", "4"]


def test_a_list_of_failures_is_a_manifest_that_tries_again(tmp_path):
    path = write(tmp_path / "failures.jsonl", [{"path": "/a/x.mp4", "stage": "decode", "error": "it broke"}])
    (source,) = read_manifest(path)
    assert (source.path, source.rows) == ("/a/x.mp4", ())


def test_what_align_wrote_is_no_news_where_its_folder_is_listed(tmp_path, caplog):
    """Named by a shell, or in a folder: no failure and no warning; its moments name the film all the same."""
    (tmp_path / "film.mp4").write_bytes(b"film")
    with writing("align"):
        for name in ("srt", "vtt", "csv", "jsonl", "html"):
            write_atomic(tmp_path / f"film.timed.{name}", "who,said\nann,hello\n")
        write_atomic(tmp_path / "film.timed.moments.jsonl", '{"path": "film.mp4", "text": "hello"}\n')
    (tmp_path / "film.other.srt").write_text("somebody else's")
    globbed = list_sources(sorted(map(str, tmp_path.glob("film*"))))
    assert not globbed.failures and [file.path for file in globbed.files] == [str(tmp_path / "film.mp4")]
    with caplog.at_level("INFO", "sayso"):
        find_subtitles(tmp_path / "film.mp4")
    assert len(caplog.messages) == 1 and "film.other.srt" in caplog.text
    (tmp_path / "film.timed.csv").write_text("mine\nnow\n")
    assert [
        Path(one.path).name for one in list_sources(sorted(map(str, tmp_path.glob("film*")))).failures
    ] == ["film.timed.csv"]
