"""From files to a result in one call, and what the result writes."""

from __future__ import annotations

import json
import logging

import pytest

from sayso.core.errors import SaysoError
from sayso.core.ownership import RECORD
from sayso.systems import align_script

SCRIPT = "BOB: Did you see the garden this morning, my dear?\nALICE: No. I was asleep until eleven o'clock.\n"
SRT = """1
00:00:10,000 --> 00:00:12,000
Did you see the garden this morning, my dear?

2
00:00:15,000 --> 00:00:18,000
No. I was asleep till 11 o'clock.

3
00:00:40,000 --> soon
Backwards.
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "film.txt").write_text(SCRIPT)
    (tmp_path / "film.srt").write_text(SRT)
    return tmp_path / "film.txt", tmp_path / "film.srt"


def test_a_result_is_plain_data_with_what_could_not_be_read(files):
    result = align_script.run(*files)
    plain = json.loads(json.dumps(result.to_dict()))
    assert [(row["speaker"], row["start_s"]) for row in plain["elements"]] == [("BOB", 10.0), ("ALICE", 15.0)]
    assert [line["speaker"] for line in plain["lines"]] == ["BOB", "ALICE"]
    (failure,) = plain["failures"]
    assert failure["path"] == str(files[1]) and failure["stage"] == "captions"
    assert "2 of 2 speeches placed" in result.summary() and len(result.table()) == 2


def test_a_result_writes_its_files_whole(files, tmp_path):
    written = align_script.run(*files).write(tmp_path / "out" / "film")
    assert [path.name for path in written] == [
        f"film.{end}" for end in ("srt", "vtt", "csv", "jsonl", "html")
    ]
    assert all(path.stat().st_size for path in written)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {RECORD, *(path.name for path in written)}


def test_a_correction_of_the_clock_is_logged(files, tmp_path, caplog):
    words = "\n".join(f"BOB: word{k} other{k} third{k}." for k in range(12))
    files[0].write_text(words)
    for path, shift in ((files[1], 0), (tmp_path / "reference.srt", 7)):
        cues = [
            f"00:00:{k + shift:02d},000 --> 00:00:{k + shift:02d},900\nword{k} other{k} third{k}"
            for k in range(12)
        ]
        path.write_text("\n\n".join(cues) + "\n")
    with caplog.at_level(logging.INFO, "sayso"):
        options = align_script.AlignOptions(reference=tmp_path / "reference.srt")
        result = align_script.run(*files, options)
    assert result.rows[0]["start_s"] == 7.0 and "+7.00 s" in caplog.text


def test_wrong_files_are_one_sentence(files, tmp_path):
    with pytest.raises(SaysoError, match=r"none\.srt"):
        align_script.run(files[0], tmp_path / "none.srt")
    (tmp_path / "empty.srt").write_text("")
    with pytest.raises(SaysoError, match="no captions in the file"):
        align_script.run(files[0], tmp_path / "empty.srt")
    with pytest.raises(SaysoError, match="names no action"):
        align_script.run(*files, align_script.AlignOptions(actions=" , "))
