"""``sayso index`` and ``sayso search`` as a person or a script meets them."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import toy
from command import sayso
from sayso import Index
from sayso.cli.main import app
from sayso.core.errors import SaysoError
from waiting import PATIENCE_S, process, wait_for

runner = CliRunner()


@pytest.fixture
def run(monkeypatch):
    """Run the command with the colour encoder in place of a model."""
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda name="auto", **options: toy.ColourEncoder())

    def invoke(*arguments, stdin=None):
        return runner.invoke(app, list(map(str, arguments)), input=stdin)

    return invoke


@pytest.fixture
def media(tmp_path):
    folder = tmp_path / "media"
    folder.mkdir()
    toy.make_video(folder / "rb.mp4", ["red", "blue"])
    toy.make_picture(folder / "white.png", "white")
    return folder


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_folder_of_neither_videos_nor_pictures_is_said_to_be_one(run, tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("no picture")
    made = run("index", tmp_path / "x.index", tmp_path / "texts")
    assert made.exit_code == 0
    assert "0 files: no video or picture found; 0 new clips; 1 skipped" in made.stdout


def test_of_what_is_said_the_beginning_is_shown_and_that_it_is_one(run, media, tmp_path):
    (media / "rb.srt").write_text("1\n00:00:00,000 --> 00:00:04,000\n" + "word " * 12 + "cut off here\n")
    run("index", tmp_path / "x.index", media)
    shown = re.findall("“(.*)”", run("search", tmp_path / "x.index", "word").stdout)
    assert shown == ["word " * 11 + "word…"]


def test_index_then_search(run, media, tmp_path):
    where = tmp_path / "x.index"
    made = run("index", where, media)
    assert made.exit_code == 0, made.output
    assert "2 files: 2 added; 3 new clips" in made.stdout
    assert "nothing to do" not in made.stdout
    assert run("index", where, media, "--json").stdout.count('"unchanged": 2') == 1
    found = run("search", where, "blue", "--json", "--limit", 1)
    (hit,) = lines(found)
    assert (hit["start_s"], hit["end_s"], hit["path"]) == (4.0, 8.0, str(media / "rb.mp4"))
    table = run("search", where, "blue", "-n", 1).stdout
    assert "0:04-0:08" in table
    assert str(media / "rb.mp4") in table
    assert run("search", where, "white", "--paths", "-n", 1).stdout.strip() == str(media / "white.png")


def test_json_says_which_hits_are_guesses(run, media, tmp_path):
    run("index", tmp_path / "x.index", media)
    hits = lines(run("search", tmp_path / "x.index", "red", "--json"))
    assert [hit["likely"] for hit in hits] == [hit["score"] >= 0.5 for hit in hits]
    assert {hit["likely"] for hit in hits} == {True, False}
    listed = lines(run("search", tmp_path / "x.index", "--filter", "kind = 'video'", "--json"))
    assert listed and all(hit["likely"] and hit["visual"] is None for hit in listed)
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    assert [hit.likely for hit in index.search("red")] == [hit["likely"] for hit in hits]
    assert all(hit.likely for hit in index.moments(hits[0]["media_id"])), "unscored, and no guess"


def test_how_videos_are_cut_is_said_of_a_folder(run, media, tmp_path):
    index = tmp_path / "x.index"
    assert run("index", index, media).exit_code == 0
    refused = run("index", index, "--sample", "keyframes")
    assert refused.exit_code == 2
    assert "say for which folder" in refused.stderr
    assert run("index", index, media, "--sample", "keyframes").exit_code == 0


def test_many_queries_on_stdin(run, media, tmp_path):
    run("index", tmp_path / "x.index", media)
    found = run("search", tmp_path / "x.index", "-", "--json", "-n", 1, stdin="red\n\nwhite\n")
    assert [(hit["query"], hit["kind"]) for hit in lines(found)] == [("red", "video"), ("white", "picture")]


def test_files_on_stdin(run, media, tmp_path):
    made = run("index", tmp_path / "x.index", "-", stdin=f"{media / 'white.png'}\n")
    assert "1 added" in made.stdout


def test_failures_are_listed_told_and_tried_again(run, media, tmp_path):
    where = tmp_path / "x.index"
    (media / "bad.mp4").write_bytes(b"no video")
    cut = toy.make_video(tmp_path / "cut.mkv", ["red", "blue", "green"]).read_bytes()
    (media / "cut.mkv").write_bytes(cut[: len(cut) * 2 // 3])
    made = run("index", where, media)
    assert made.exit_code == 3
    listed = [json.loads(line) for line in (where / "failures.jsonl").read_text().splitlines()]
    assert sorted((row["path"], row["stage"]) for row in listed) == [
        (str(media / "bad.mp4"), "decode"),
        (str(media / "cut.mkv"), "read in part"),
    ]
    assert "1 could not be read, 1 read in part; the list is in" in made.stderr
    assert "1 could not be read, 1 read in part" in run("index", where, media).stderr
    (media / "cut.mkv").write_bytes(cut)
    toy.make_video(media / "bad.mp4", ["green"])
    again = run("index", where, where / "failures.jsonl")
    assert (again.exit_code, again.stderr) == (0, "")
    assert "1 added" in again.stdout
    assert not (where / "failures.jsonl").exists()


def test_progress_for_programs_is_json_on_stderr(run, media, tmp_path):
    made = run("index", tmp_path / "x.index", media, "--progress", "json")
    last = json.loads(made.stderr.splitlines()[-1])
    assert (last["done"], last["total"]) == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["search", "nowhere.index", "x"], 1, "there is no index at"),
        (["index"], 2, "Missing argument"),
        (["search", "--limit", "0", "x", "y"], 2, "--limit"),
        (["index", "x", "y", "--segments", "shots"], 2, "'window', 'caption'"),
        (["index", "my.index"], 2, "sayso index my.index ~/Videos"),
        (["index", "-", "my.index"], 2, "sayso index my.index -"),
        (["no-such-verb"], 2, "No such command"),
    ],
)
def test_exit_codes_and_sentences(tmp_path, monkeypatch, arguments, code, sentence):
    monkeypatch.chdir(tmp_path)
    done = sayso(*arguments)
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_an_index_that_is_something_else_is_one_sentence_before_any_model_is_loaded(
    media, tmp_path, monkeypatch
):
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda *_, **__: pytest.fail("a model was loaded"))
    for place, problem in ((media, "holds other things"), (media / "rb.mp4", "is a file")):
        before = sorted(media.iterdir())
        done = runner.invoke(app, ["index", str(place), str(tmp_path / "x.index")])
        assert isinstance(done.exception, SaysoError)
        assert problem in str(done.exception) and f"sayso index INDEX {place}" in str(done.exception)
        assert sorted(media.iterdir()) == before
    alone = runner.invoke(app, ["index", str(media)])
    assert alone.exit_code == 2 and f"sayso index my.index {media}" in " ".join(alone.output.split())


def test_a_shells_glob_names_captions_too(run, media, tmp_path):
    (media / "rb.srt").write_text("1\n00:00:04,500 --> 00:00:07,000\na white boat\n")
    (media / "other.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nhello\n")
    made = run("index", tmp_path / "x.index", *sorted(media.iterdir()))
    assert made.exit_code == 0, made.output
    assert "2 files: 2 added" in made.stdout
    alone = run("index", tmp_path / "y.index", media / "rb.srt")
    assert alone.exit_code == 1 and "neither a video nor a picture" in alone.stderr


def test_what_is_skipped_or_vanished_is_counted(run, media, tmp_path):
    for name in ("photo.CR2", "README", "rb.srt"):
        (media / name).write_text("1\n00:00:00,000 --> 00:00:02,000\nhello\n")
    made = run("index", tmp_path / "x.index", media)
    assert "2 skipped, neither video nor picture" in made.stdout
    (media / "white.png").unlink()
    again = run("index", tmp_path / "x.index", media)
    assert "1 vanished (--prune removes them)" in again.stdout
    counts = json.loads(run("index", tmp_path / "x.index", media, "--json").stdout)
    assert (counts["skipped"], counts["vanished"], counts["unchanged"]) == (2, 1, 1)
    assert "vanished" not in run("index", tmp_path / "x.index", media, "--prune").stdout


def test_a_mistyped_path_makes_no_index(media, tmp_path, monkeypatch):
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda *_, **__: pytest.fail("a model was loaded"))
    done = runner.invoke(app, ["index", str(tmp_path / "x.index"), str(tmp_path / "Vidoes")])
    assert done.exit_code == 1
    assert done.stdout.endswith("x.index: 0 files: nothing could be read; 0 new clips\n")
    assert "Vidoes cannot be read: No such file or directory" in done.stderr
    assert "1 could not be read; no index was made" in done.stderr
    assert not (tmp_path / "x.index").exists()


def test_damaged_files_alone_make_no_index(run, tmp_path):
    where, folder = tmp_path / "x.index", tmp_path / "films"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.mp4").write_bytes(b"no video")
    done = run("index", where, folder / "1.mp4")
    assert (done.exit_code, done.stdout) == (1, f"{where}: 1 file: nothing could be read; 0 new clips\n")
    assert "1.mp4 is not a video that can be read" in done.stderr
    assert done.stderr.endswith("1 could not be read; no index was made\n")
    searched = run("search", where, "red", "--no-daemon")
    assert isinstance(searched.exception, SaysoError) and "there is no index at" in str(searched.exception)
    many = run("index", where, folder, "--failures", tmp_path / "failed.jsonl")
    assert many.exit_code == 1 and len((tmp_path / "failed.jsonl").read_text().splitlines()) == 12
    told = run("index", where, folder).stderr
    assert "and 2 more; no index was made (--failures FILE lists them all)" in told
    toy.make_video(folder / "1.mp4", ["red"])
    made = run("index", where, folder)
    assert made.exit_code == 3 and "12 files: 1 added; 1 new clip" in made.stdout
    assert "1.mp4" in run("search", where, "red", "--no-daemon").stdout


def test_an_index_that_was_there_stays_where_nothing_can_be_read(run, media, tmp_path):
    where = tmp_path / "x.index"
    run("index", where, media)
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    for path in (tmp_path / "bad.mp4", tmp_path / "nowhere.mp4"):
        done = run("index", where, path)
        assert done.exit_code == 1 and "nothing could be read" in done.stdout
    assert "rb.mp4" in run("search", where, "red", "--no-daemon").stdout
    everything = run("index", where)
    assert everything.exit_code == 3 and "3 files: 2 unchanged; 0 new clips" in everything.stdout


def test_an_object_that_made_nothing_makes_an_index_later(media, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    assert len(index.add(tmp_path / "bad.mp4").failures) == 1
    assert (index.model, len(index)) == (None, 0)
    assert index.add(media).added == 2
    assert index.search("red")[0].path == str(media / "rb.mp4")


def test_a_search_of_an_empty_index_says_so(run, tmp_path, monkeypatch, caplog):
    (tmp_path / "none yet").mkdir()
    where = tmp_path / "my x.index"
    assert run("index", where, tmp_path / "none yet").exit_code == 0, "no failure: the folder is remembered"
    said = f"the index {where} is empty; add files to it with: sayso index '{where}' PATH..."
    monkeypatch.setattr("sayso.encoders.load_encoder", lambda *_, **__: pytest.fail("a model was loaded"))
    for words in (["red"], ["red", "--json"], ["--filter", "kind = 'video'"]):
        done = sayso("search", where, *words, "--no-daemon")
        assert (done.returncode, done.stdout) == (0, "") and said in done.stderr
    index = Index.open(where, toy.ColourEncoder())
    caplog.clear()
    assert index.search("red") == [] and [record.getMessage() for record in caplog.records] == [said]
    assert index.hints("red") == [said]
    toy.make_picture(tmp_path / "none yet" / "red.png", "red")
    index.add()
    assert index.hints("red") == [] and len(index.search("red")) == 1


def test_an_index_that_cannot_be_written_is_one_sentence(run, media, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    done = run("index", tmp_path / "file" / "x.index", media)
    assert isinstance(done.exception, SaysoError)
    assert "x.index cannot be written: Not a directory" in str(done.exception)
    run("index", tmp_path / "x.index", media)
    toy.make_picture(media / "red.png", "red")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sayso.index.store.Store.append", full)
    done = run("index", tmp_path / "x.index", media)
    assert isinstance(done.exception, SaysoError) and "No space left on device" in str(done.exception)


def test_a_second_beyond_the_end_is_told(run, media, tmp_path):
    run("index", tmp_path / "x.index", media)
    done = run("search", tmp_path / "x.index", "--like", f"{media / 'rb.mp4'}@500")
    assert isinstance(done.exception, SaysoError)
    assert "rb.mp4 ends at 8.0 s, before second 500" in str(done.exception)
    assert run("search", tmp_path / "x.index", "--like", f"{media / 'rb.mp4'}@7.9").exit_code == 0


def test_filter_and_text_weight(run, media, tmp_path):
    (media / "rb.srt").write_text("1\n00:00:04,500 --> 00:00:07,000\na white boat\n")
    run("index", tmp_path / "x.index", media)
    found = run("search", tmp_path / "x.index", "white", "--json", "--text-weight", 1)
    assert [(hit["text"], hit["bm25"] > 0, hit["start_s"]) for hit in lines(found)] == [
        ("a white boat", True, 4.0)
    ]
    found = run("search", tmp_path / "x.index", "white", "--json", "--filter", "duration_s > 5", "--no-merge")
    assert {hit["path"] for hit in lines(found)} == {str(media / "rb.mp4")}
    assert all(hit["visual"] is not None and hit["duration_s"] == 8 for hit in lines(found))


def test_guesses_stand_below_a_line_and_nothing_found_is_said(run, media, tmp_path):
    shutil.copy(media / "white.png", media / "again.png")
    run("index", tmp_path / "x.index", media)
    found = run("search", tmp_path / "x.index", "white")
    first, *guesses = found.stdout.splitlines()
    assert "(2 copies)" in first and float(first.split()[0]) > 0.9
    assert guesses and all(float(line.split()[0]) < 0.5 for line in guesses)
    assert found.stderr == "-- guesses, less likely than not:\n"
    nonsense = run("search", tmp_path / "x.index", "xyzzy qwrtp")
    assert nonsense.exit_code == 0
    assert "nothing found; the best guesses:" in nonsense.stderr
    assert all(float(line.split()[0]) < 0.5 for line in nonsense.stdout.splitlines())
    passing = run("search", tmp_path / "x.index", "xyzzy qwrtp", "--min-score", "0.6")
    assert (passing.stdout, passing.stderr.splitlines()[-1]) == ("", "nothing found")
    assert run("search", tmp_path / "x.index", "white", "--min-score", "0.6").stdout == f"{first}\n"
    files = run("search", tmp_path / "x.index", "red + blue", "--by-file", "--json")
    paths = [hit["path"] for hit in lines(files)]
    assert len(set(paths)) == len(paths)


def test_help_and_version(tmp_path):
    done = sayso("--version")
    assert done.stdout.startswith("sayso ")
    helped = sayso("search", "--help")
    assert 'sayso search my.index "hold a wine glass"' in helped.stdout


WAITING = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
import toy
import sayso.encoders
from sayso.index import writer
from sayso.index.store import Store

commit = Store.commit

def commit_and_wait(*given):
    commit(*given)
    while not Path({go!r}).exists():
        time.sleep(0.01)

Store.commit = commit_and_wait
sayso.encoders.load_encoder = lambda name="auto", **options: toy.ColourEncoder()
writer.FLUSH_ROWS = 4
sys.argv[0] = "sayso"
from sayso.__main__ import program
program()
"""
"""A run that stays in its first commit of a file, with most of them to come, until it may go on."""


def is_kept(where):
    """Whether some file is done: a commit beside that of the empty table."""
    return len([*(where / "media.lance" / "_versions").glob("*.manifest")]) > 1


def test_an_interrupted_run_keeps_what_was_done_and_goes_on(tmp_path):
    folder = tmp_path / "media"
    folder.mkdir()
    for k in range(8):
        toy.make_video(folder / f"{k}.mp4", ["red", "blue", "green", "cyan"], fps=1)
    program = WAITING.format(tests=str(Path(toy.__file__).parent), go=str(tmp_path / "go"))
    command = [sys.executable, "-c", program, "index", str(tmp_path / "x.index"), str(folder)]
    with process(command) as indexing:
        wait_for(lambda: is_kept(tmp_path / "x.index"), lambda: "nothing is kept", PATIENCE_S)
        indexing.send_signal(signal.SIGINT)
        (tmp_path / "go").touch()
        _, err = indexing.communicate(timeout=PATIENCE_S)
    assert indexing.returncode == 130, err
    assert "interrupted; what was done is kept" in err
    assert "Traceback" not in err
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["added"] + report["unchanged"] == 8
    assert report["unchanged"] > 0


def test_searches_by_time(run, media, tmp_path):
    exif = toy.Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2019:06:01 14:03:22"
    toy.Image.new("RGB", (64, 48), toy.COLOURS["red"]).save(media / "june.jpg", exif=exif)
    shutil.copy(media / "white.png", media / "IMG-20200105-WA0007.png")
    where = tmp_path / "x.index"
    assert run("index", where, media).exit_code == 0
    listed = run("search", where, "--after", "2019", "--before", "2020-06")
    dates = [line.split("  ")[0] for line in listed.stdout.splitlines()]
    assert dates == ["2020-01-05", "2019-06-01 14:03"]
    assert "june.jpg" in listed.stdout.splitlines()[1]
    assert not re.search(r"\d\.\d{3} ", listed.stdout), "what is listed has no score"
    newest = run("search", where, "red", "--sort", "time", "--no-merge")
    assert "(file date)" in newest.stdout.splitlines()[0]
    assert newest.stdout.splitlines()[-1].startswith("2019-06-01 14:03 ")
    hit = lines(run("search", where, "red", "--before", "2020", "--json"))[0]
    assert (hit["taken"], hit["taken_from"], hit["utc_offset_min"]) == ("2019-06-01T14:03:22", "exif", None)
    wrong = run("search", where, "--after", "last year")
    assert wrong.exit_code != 0
    assert "is no date" in str(wrong.exception)
