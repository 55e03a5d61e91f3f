"""Tables as spreadsheets save them: separators, code pages, the case of names, paths of Windows."""

from __future__ import annotations

import os

import pytest
from PIL import Image

from sayso.core.errors import SaysoError
from sayso.data.csv_rows import csv_rows
from sayso.data.manifest import ListedFile, read_manifest
from sayso.data.tags_reader import read_tagged

ROWS = [("a.jpg", "hünd"), ("b, c.jpg", "katze; hünd")]
SAVED = {
    "excel in Germany": (";", "cp1252", "Path", "Tags"),
    "excel, unicode text": ("\t", "utf-16", "Path", "tags"),
    "excel, utf-8": (",", "utf-8-sig", "path", "tags"),
    "an export": ("|", "utf-8", "PATH", "Tags"),
}


@pytest.mark.parametrize("program", SAVED)
def test_a_table_is_the_same_whoever_saved_it(tmp_path, program):
    separator, encoding, *names = SAVED[program]
    table = [separator.join(names), *(separator.join(f'"{cell}"' for cell in row) for row in ROWS)]
    (tmp_path / "t.csv").write_bytes("\r\n".join([*table, ""]).encode(encoding))
    expected = [(n, {"path": path, "tags": tags}) for n, (path, tags) in enumerate(ROWS, 2)]
    assert list(csv_rows(tmp_path / "t.csv", {"path", "tags"})) == expected


def test_other_columns_keep_their_names_and_short_rows_have_none(tmp_path):
    (tmp_path / "t.csv").write_text("Path,Camera;Lens\na.mp4,x;y\nb.mp4\n")
    assert [row for _, row in csv_rows(tmp_path / "t.csv", {"path"})] == [
        {"path": "a.mp4", "Camera;Lens": "x;y"},
        {"path": "b.mp4", "Camera;Lens": None},
    ]


def test_paths_of_windows_are_found(tmp_path):
    (tmp_path / "day 1").mkdir()
    for name in ("day 1/a.jpg", "b.jpg"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    (tmp_path / "t.csv").write_text('path,tags\n.\\day 1\\a.jpg,dog\nC:\\shots\\b.jpg,"cat, dog"\n')
    found = read_tagged(tmp_path / "t.csv")
    assert [(picture.path.name, picture.labels) for picture in found.pictures] == [
        ("a.jpg", (-1, 1)),
        ("b.jpg", (1, 1)),
    ]
    (tmp_path / "m.csv").write_text("path;text\nday 1\\a.jpg;first\n")
    (listed,) = read_manifest(tmp_path / "m.csv")
    assert isinstance(listed, ListedFile) and listed.path == str(tmp_path / "day 1" / "a.jpg")
    assert listed.rows[0].text == "first"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_pipe_is_no_manifest_and_is_not_waited_for(tmp_path, suffix):
    pipe = tmp_path / f"pipe{suffix}"
    os.mkfifo(pipe)
    with pytest.raises(SaysoError, match="is a named pipe"):
        list(read_manifest(pipe))
