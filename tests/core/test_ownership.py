"""In a Python program too, what sayso did not write, or a person edited, stays; what it wrote is renewed."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from sayso.core.errors import SaysoError
from sayso.core.io import write_atomic
from sayso.core.ownership import (
    RECORD,
    claim_folder,
    digest_of,
    drawn_in,
    is_mine,
    is_own,
    record_own,
    remove_own,
    writing,
    writing_as,
)


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


def lines(folder, *rows):
    """Write a record by hand: name, content the digest is of, verb."""
    with (folder / RECORD).open("a") as file:
        for name, content, verb in rows:
            digest = hashlib.sha256(content).hexdigest()
            told = {"name": name, "sha256": digest, "size": len(content), "verb": verb}
            file.write(json.dumps(told) + "\n")


def test_a_file_is_the_verbs_that_recorded_its_digest_under_its_name(tmp_path):
    (tmp_path / "a").write_bytes(b"now")
    assert not is_own(tmp_path / "a", "align"), "nobody recorded it"
    lines(tmp_path, ("a", b"old", "align"), ("b", b"now", "align"), ("a", b"now", "train"))
    assert [is_own(tmp_path / "a", verb) for verb in ("align", "train", "python")] == [False, True, True]
    assert not is_own(tmp_path / "missing", "align")
    lines(tmp_path, ("a", b"now", "align"))
    assert is_own(tmp_path / "a", "align"), "what it was before does not count"
    (tmp_path / "link").symlink_to(tmp_path / "a")
    lines(tmp_path, ("link", b"now", "align"))
    assert not is_own(tmp_path / "link", "align")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "pipe")
    assert not is_own(tmp_path / "folder" / "pipe", "align")


def test_the_record_of_a_folder_above_names_a_file_by_its_way_there(tmp_path):
    inner = tmp_path / "one" / "two"
    inner.mkdir(parents=True)
    (inner / "a").write_bytes(b"x")
    lines(tmp_path, ("a", b"x", "align"))
    assert not is_own(inner / "a", "align")
    lines(tmp_path, ("one/two/a", b"x", "align"))
    assert is_own(inner / "a", "align")


def test_a_file_that_grows_stays_a_verbs_own_while_its_beginning_is(tmp_path):
    log = tmp_path / "log"
    with writing("train"):
        write_atomic(log, b"first\n" * 300_000)  # more than is read at once
        with log.open("ab") as file:
            file.write(b"more\n")
        assert not is_own(log, "train")
        assert is_own(log, "train", grows=True)
        with pytest.raises(SaysoError, match="is there already"):
            write_atomic(log, b"lost?")
        write_atomic(log, b"again", grows=True)
        assert is_own(log, "train")
        log.write_bytes(b"other and more")
        assert not is_own(log, "train", grows=True)
        log.write_bytes(b"aga")
        assert not is_own(log, "train", grows=True), "it is shorter than it was"


def test_the_digest_of_first_bytes_is_that_of_hashlib(tmp_path):
    content = bytes(range(256)) * 9000  # 2.3 MB
    (tmp_path / "x").write_bytes(content)
    for length in (0, 1, 1 << 20, (1 << 20) + 1, len(content), len(content) + 5):
        assert digest_of(tmp_path / "x", length) == hashlib.sha256(content[:length]).hexdigest()
    assert digest_of(tmp_path / "x") == hashlib.sha256(content).hexdigest()


def test_a_folder_is_a_verbs_own_if_all_in_it_is(tmp_path):
    folder = tmp_path / "out"
    with writing("train"):
        (folder / "inner").mkdir(parents=True)
        for name in ("a", "inner/b"):
            (folder / name).write_text(name)
        record_own(folder)
        assert is_own(folder, "train") and is_mine(folder)
        (folder / "c").write_text("of a person")
        assert not is_own(folder, "train")
        with pytest.raises(SaysoError, match=r"out is there already.* of this command"):
            remove_own(folder)
        (folder / "c").unlink()
        (folder / "link").symlink_to(tmp_path)
        assert not is_own(folder, "train"), "a link is nobody's"
        (folder / "link").unlink()
        remove_own(folder)
    assert not folder.exists()


def test_a_folder_that_is_noted_before_it_has_its_name_and_the_record_above(tmp_path):
    waiting = tmp_path / "waiting"
    (waiting / "inner").mkdir(parents=True)
    (waiting / "inner" / "a").write_text("x")
    with writing("train"):
        record_own(tmp_path / "model", waiting)
        assert [json.loads(row)["name"] for row in (tmp_path / RECORD).read_text().splitlines()] == [
            "model/inner/a"
        ]
        waiting.rename(tmp_path / "model")
        assert is_own(tmp_path / "model", "train")
        (tmp_path / "model" / "b").write_text("x")
        record_own(tmp_path / "model" / "b")  # no record there yet: the one above has it
    assert not (tmp_path / "model" / RECORD).exists()
    assert is_own(tmp_path / "model" / "b", "train")
    (tmp_path / "model" / RECORD).touch()
    with writing("train"):
        write_atomic(tmp_path / "model" / "c", "x")
    assert json.loads((tmp_path / "model" / RECORD).read_text())["name"] == "c"
    (tmp_path / "apart" / "deep").mkdir(parents=True)
    with writing("train"):
        write_atomic(tmp_path / "apart" / "deep" / "d", "x")
    assert (tmp_path / "apart" / "deep" / RECORD).exists(), "there is none above"


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (tmp_path / "link").symlink_to(kept)
    with writing("train", overwrite=True):
        remove_own(tmp_path / "link")
        remove_own(tmp_path / "link")
    assert kept.is_dir() and not (tmp_path / "link").is_symlink()
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    with writing("train"), pytest.raises(SaysoError, match="dangling is there already"):
        write_atomic(dangling, "x")


def test_an_input_is_never_written_over_but_where_that_is_meant(tmp_path):
    film = tmp_path / "film.srt"
    with writing("align"):
        write_atomic(film, "own")
    with writing("align", [film, tmp_path / "missing"]):
        with pytest.raises(
            SaysoError, match=r"film\.srt is an input of this command and is not written over"
        ):
            write_atomic(film, "lost?")
        write_atomic(film, "meant", of_input=True)
        write_atomic(tmp_path / "missing", "new")
    film.write_text("edited")
    with writing("align", [film]), pytest.raises(SaysoError, match="is there already"):
        write_atomic(film, "lost?", of_input=True)
    with writing("align", [film], overwrite=True):
        write_atomic(film, "wanted")
    assert film.read_text() == "wanted"


def test_what_a_refusal_says_is_of_the_command_or_of_the_program(tmp_path):
    (tmp_path / "a").write_text("mine")
    with pytest.raises(SaysoError, match="in an earlier run; give another place, or write within writing"):
        write_atomic(tmp_path / "a", "x")
    with (
        writing("align", hint="give --out"),
        pytest.raises(SaysoError, match="run of this command; give --out"),
    ):
        write_atomic(tmp_path / "a", "x")


def test_pictures_that_verbs_drew_are_told_from_those_of_people(tmp_path):
    shown = tmp_path / "shown"
    shown.mkdir()
    for verb, names in (("localize", "ab"), ("search", "c"), ("train", "d")):
        with writing(verb):
            for name in names:
                write_atomic(shown / f"{name}.png", name)
    with writing("search"):
        write_atomic(tmp_path / "e.png", "e")
    (shown / "b.png").write_text("edited")
    (shown / "f.png").write_text("of a person")
    assert drawn_in(shown) == {"a.png", "c.png"}
    (shown / RECORD).rename(tmp_path / "old")
    inside = [json.loads(row) for row in (tmp_path / "old").read_text().splitlines()]
    with (tmp_path / RECORD).open("a") as file:  # the record above names them by their way there
        for row in inside:
            file.write(json.dumps(row | {"name": f"shown/{row['name']}"}) + "\n")
    assert drawn_in(shown) == {"a.png", "c.png"}
    assert drawn_in(tmp_path) == {"e.png"}


def test_a_folder_is_claimed_once_by_a_verb_and_not_where_others_have_things(tmp_path):
    claim_folder(tmp_path / "out", "train")
    (tmp_path / "out" / "model").write_text("x")
    claim_folder(tmp_path / "out", "train")
    assert len((tmp_path / "out" / RECORD).read_text().splitlines()) == 1, "it is claimed already"
    with pytest.raises(SaysoError, match="out holds other things; give another --out"):
        claim_folder(tmp_path / "out", "align")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    with pytest.raises(SaysoError, match="holds other things"):
        claim_folder(tmp_path / "full", "train")
    lines(tmp_path / "full", ("mine", b"y", "train"))
    with pytest.raises(SaysoError, match="holds other things"):
        claim_folder(tmp_path / "full", "train")
    (tmp_path / "recorded").mkdir()
    lines(tmp_path / "recorded", ("gone", b"y", "align"))
    claim_folder(tmp_path / "recorded", "train")  # nothing is there but a record
    (tmp_path / "recorded" / "x").write_text("x")
    claim_folder(tmp_path / "recorded", "train")
    with pytest.raises(SaysoError, match=r"mine cannot be made: File exists; give another --out"):
        claim_folder(tmp_path / "full" / "mine", "train")


def test_a_line_that_was_cut_off_costs_no_other(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / RECORD).write_text('{"name": "b", "sha')
    with writing("train"):
        record_own(tmp_path / "a")
        assert is_own(tmp_path / "a", "train")
        record_own(tmp_path / "a")
    assert [row[:9] for row in (tmp_path / RECORD).read_text().splitlines()] == ['{"name": '] * 3
    assert (tmp_path / RECORD).read_text().endswith("}\n")
