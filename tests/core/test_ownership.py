"""In a Python program too, what sayso did not write, or a person edited, stays; what it wrote is renewed."""

from __future__ import annotations

import pytest

from sayso.core.errors import SaysoError
from sayso.core.io import write_atomic
from sayso.core.ownership import RECORD, is_mine, is_own, remove_own, writing, writing_as


def test_a_program_writes_over_its_own_files_and_those_of_verbs_alone(tmp_path):
    with writing("align"):
        write_atomic(tmp_path / "film.srt", "of align")
    write_atomic(tmp_path / "film.srt", "of the program")
    write_atomic(tmp_path / "film.srt", "again")
    (tmp_path / "film.srt").write_text("edited")
    with pytest.raises(SaysoError, match=r"film\.srt is there already, and not as sayso wrote it"):
        write_atomic(tmp_path / "film.srt", "lost?")
    with pytest.raises(SaysoError, match="not as sayso wrote it"):
        remove_own(tmp_path / "film.srt")
    assert (tmp_path / "film.srt").read_text() == "edited"
    with writing("python", overwrite=True):
        write_atomic(tmp_path / "film.srt", "wanted")
    assert (tmp_path / "film.srt").read_text() == "wanted"


def test_a_verb_takes_a_programs_file_for_foreign_but_not_what_was_written_as_the_verb(tmp_path):
    write_atomic(tmp_path / "a", "x")
    with writing_as("train"):
        write_atomic(tmp_path / "b", "x")
    assert [is_own(tmp_path / name, "train") for name in "ab"] == [False, True]
    with writing("align"), writing_as("train"):
        write_atomic(tmp_path / "c", "x")
    assert is_own(tmp_path / "c", "align"), "the verb that runs goes on"


def test_exports_and_results_of_a_program_keep_foreign_files(tmp_path):
    from sayso.people import write_tracks
    from sayso.systems import align_script

    (tmp_path / "film.txt").write_text("BOB: Did you see the garden this morning.\n")
    cue = "1\n00:00:00,000 --> 00:00:01,500\nDid you see the garden this morning\n"
    (tmp_path / "film.srt").write_text(cue)
    result = align_script.run(tmp_path / "film.txt", tmp_path / "film.srt")
    with pytest.raises(SaysoError, match=r"film\.srt is there already"):
        result.write(tmp_path / "film")
    assert (tmp_path / "film.srt").read_text() == cue
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.srt", "film.txt"], (
        "nothing is half done"
    )
    result.write(tmp_path / "new")
    result.write(tmp_path / "new")
    (tmp_path / "tracks.json").write_text("mine")
    with pytest.raises(SaysoError, match=r"tracks\.json"):
        write_tracks(tmp_path / "tracks.json", [])
    assert (tmp_path / RECORD).exists() and is_mine(tmp_path / "new.srt")
