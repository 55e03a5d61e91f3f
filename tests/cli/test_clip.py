"""``sayso clip``: hits of an index and spans of files become files, whole or not at all."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

import toy
from command import sayso
from media import films
from sayso import Index
from sayso.index.picks import Pick, find_picks, parse_pick


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> Path:
    """Return a folder with a video, a picture, and an index of them."""
    folder = tmp_path_factory.mktemp("found")
    (folder / "media").mkdir()
    toy.make_video(folder / "media" / "talk.mp4", ["red", "green", "blue"])
    toy.make_picture(folder / "media" / "sea.png", "blue")
    Index.open(folder / "my.index", toy.ColourEncoder()).add(folder / "media")
    return folder


def frames_of(path: Path) -> list[tuple[float, str]]:
    """Return when each frame is shown, and the colour nearest to it."""
    names = list(toy.COLOURS)
    with av.open(str(path)) as file:
        shown = [
            (frame.time, frame.to_ndarray(format="rgb24").mean((0, 1))) for frame in file.decode(video=0)
        ]
    return [(time, min(names, key=lambda name: abs(mean - toy.COLOURS[name]).sum())) for time, mean in shown]


def hits_of(found: Path, query: str, **options) -> list:
    return Index.open(found / "my.index", toy.ColourEncoder()).search(query, **options)


def test_a_span_of_a_file_needs_no_index(found, tmp_path):
    ran = sayso("clip", f"{found}/media/talk.mp4@3.4-8.2", "--out", tmp_path / "x.mp4", "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    row = json.loads(ran.stdout)
    assert row == {
        "out": str(tmp_path / "x.mp4"),
        "path": f"{found}/media/talk.mp4",
        "start_s": 3.4,
        "end_s": 8.2,
        "frames": 24,
    }
    colours = [name for _, name in frames_of(tmp_path / "x.mp4")]
    assert colours == ["red"] * 3 + ["green"] * 20 + ["blue"]


def test_an_id_and_an_id_with_a_span(found, tmp_path):
    hit = hits_of(found, "green", merge=False, filter="kind = 'video'")[0]
    assert sayso("clip", found / "my.index", hit.id, "-o", tmp_path / "a.mkv").returncode == 0
    assert {name for _, name in frames_of(tmp_path / "a.mkv")} == {"green"}
    assert sayso("clip", found / "my.index", f"{hit.id}@9-10.5", "-o", tmp_path / "b.mp4").returncode == 0
    shown = frames_of(tmp_path / "b.mp4")
    assert {name for _, name in shown} == {"blue"}
    assert len(shown) == 8


def test_what_search_prints_goes_in_as_it_is(found, tmp_path, monkeypatch):
    hits = hits_of(found, "blue")
    assert {hit.kind for hit in hits} == {"video", "picture"}
    videos = [hit for hit in hits if hit.kind == "video"]
    guesses = sum(not hit.likely for hit in videos)
    assert 0 < guesses < len(videos), "of both kinds"
    lines = "\n".join(json.dumps(hit.to_dict()) for hit in hits)
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    ran = sayso("clip", found / "my.index", "-", "-o", tmp_path / "clips", "--json", "--guesses")
    assert ran.returncode == 0
    assert ran.stderr == "left out 1 picture: there is nothing to cut out of one\n"
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(row["start_s"], row["end_s"]) for row in rows] == [(hit.start_s, hit.end_s) for hit in videos]
    assert all(Path(row["out"]).parent == tmp_path / "clips" for row in rows)
    assert sorted(path.name for path in (tmp_path / "clips").iterdir() if path.name[0] != ".") == sorted(
        Path(row["out"]).name for row in rows
    )


@pytest.mark.parametrize("with_index", [True, False])
def test_guesses_and_pictures_that_a_search_found_are_left_out(found, tmp_path, monkeypatch, with_index):
    hits = hits_of(found, "blue")
    likely = [hit for hit in hits if hit.likely and hit.kind == "video"]
    guesses = sum(not hit.likely for hit in hits)
    assert likely and guesses == 2
    index = [found / "my.index"] if with_index else []
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(json.dumps(hit.to_dict()) for hit in hits)))
    ran = sayso("clip", *index, "-", "-o", tmp_path / "clips", "--json")
    assert ran.returncode == 0
    assert ran.stderr.splitlines() == [
        "left out 2 guesses: --guesses cuts them too",
        "left out 1 picture: there is nothing to cut out of one",
    ]
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(row["start_s"], row["end_s"]) for row in rows] == [(hit.start_s, hit.end_s) for hit in likely]
    old = [{name: value for name, value in hit.to_dict().items() if name != "likely"} for hit in hits]
    saved = json.dumps({"query": "blue", "hits": [hit.to_dict() for hit in hits]})
    for text in ("\n".join(map(json.dumps, old)), saved):  # an older sayso says nothing; a person chose
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        ran = sayso("clip", *index, "-", "-o", tmp_path / "all", "--json")
        assert (ran.returncode, len(ran.stdout.splitlines())) == (0, sum(hit.kind == "video" for hit in hits))


def test_a_search_that_finds_nothing_to_cut_is_no_error(found, tmp_path, monkeypatch):
    picture = json.dumps(hits_of(found, "blue", filter="kind = 'picture'")[0].to_dict())
    for lines, said in (("", "nothing is cut: no hit came on stdin\n"), (picture, "nothing is cut\n")):
        monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
        ran = sayso("clip", "-", "-o", tmp_path / "clips", "--json")
        assert (ran.returncode, ran.stdout) == (0, "") and ran.stderr.endswith(said)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_is_named_cannot_be_cut(found, tmp_path):
    picture = hits_of(found, "blue", filter="kind = 'picture'")[0].id
    film = hits_of(found, "blue", filter="kind = 'video'")[0].id
    ran = sayso("clip", found / "my.index", picture, "-o", tmp_path / "x.mp4")
    assert ran.returncode == 1 and "sea.png is a picture; there is nothing to cut out of it" in ran.stderr
    both = sayso("clip", found / "my.index", picture, film, "-o", tmp_path / "clips")
    assert both.returncode == 3 and "sea.png is a picture" in both.stderr


def test_what_a_page_of_several_collections_saved_goes_in_as_it_is(found, tmp_path, monkeypatch):
    toy.make_video(tmp_path / "walk.mp4", ["cyan", "magenta"])
    other = Index.open(tmp_path / "other.index", toy.ColourEncoder())
    other.add(tmp_path / "walk.mp4")
    hits = [*hits_of(found, "green", filter="kind = 'video'")[:1], *other.search("cyan")[:1]]
    names = ("my", "other")
    rows = [{**hit.to_dict(), "id": f"{name}:{hit.id}"} for hit, name in zip(hits, names, strict=True)]
    saved = json.dumps({"query": "green or cyan", "hits": rows}, indent=2)
    monkeypatch.setattr(sys, "stdin", io.StringIO(saved))
    ran = sayso("clip", found / "my.index", other.store.address, "-", "-o", tmp_path / "clips", "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    cut = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(row["path"], row["start_s"], row["end_s"]) for row in cut] == [
        (hit.path, hit.start_s, hit.end_s) for hit in hits
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO(saved))
    ran = sayso("clip", found / "my.index", "-", "-o", tmp_path / "clips")
    assert f"holds no clip 'other:{hits[1].id}'; name the index of its collection too" in ran.stderr


def test_the_same_span_twice_gets_two_names(found, tmp_path):
    span = f"{found}/media/talk.mp4@1-2"
    assert sayso("clip", span, span, "-o", tmp_path / "clips", "--format", "gif").returncode == 0
    names = {path.name for path in (tmp_path / "clips").glob("*.gif")}
    assert names == {"talk_1.00-2.00.gif", "talk_1.00-2.00_2.gif"}


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["{media}/talk.mp4@5-4", "-o", "x.mp4"], 2, "ends before it starts"),
        (["{media}/talk.mp4@1-2", "-o", "x.avi"], 2, "let it end in .mp4, .mkv, .gif or .webp"),
        (["{media}/talk.mp4@90-91", "-o", "x.mp4"], 1, "holds no picture at second 90"),
        (["{media}/talk.mp4@1-2", "{media}/talk.mp4@2-3", "-o", "x.mp4"], 2, "there are several hits"),
        (["{media}/talk.mp4@1-2", "-o", "x.gif", "--copy"], 2, "leave --copy away"),
        (["{media}/gone.mp4@1-2", "-o", "x.mp4"], 1, "gone.mp4"),
        (["{index}", "nobody-7", "-o", "x.mp4"], 1, "holds no clip 'nobody-7'"),
        (["{index}", "-o", "x.mp4"], 2, "is not followed by a hit"),
        (["talk.mp4@99", "-o", "x.mp4"], 2, "talk.mp4@99 has no end"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_leaves_no_file(found, tmp_path, monkeypatch, words, code, says):
    monkeypatch.chdir(tmp_path)
    ran = sayso("clip", *(word.format(media=found / "media", index=found / "my.index") for word in words))
    assert (ran.returncode, ran.stdout) == (code, "")
    assert says in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_foreign_files_and_the_video_itself_are_not_written_over(found, tmp_path):
    span = f"{found}/media/talk.mp4@1-2"
    (tmp_path / "mine.mp4").write_bytes(b"mine")
    ran = sayso("clip", span, "-o", tmp_path / "mine.mp4")
    assert "is there already" in ran.stderr
    assert (tmp_path / "mine.mp4").read_bytes() == b"mine"
    assert sayso("clip", span, "-o", tmp_path / "a.mp4").returncode == 0
    before = (tmp_path / "a.mp4").read_bytes()
    ran = sayso("clip", f"{tmp_path}/a.mp4@0-0.5", "-o", tmp_path / "a.mp4")
    assert "is what would be cut" in ran.stderr
    assert (tmp_path / "a.mp4").read_bytes() == before


def test_picks_say_what_is_said_within_their_span(tmp_path):
    toy.make_video(tmp_path / "talk.mp4", ["red", "green", "blue"])
    cues = (
        "00:00:00,500 --> 00:00:03,000\none",
        "00:00:04,500 --> 00:00:07,000\ntwo",
        "00:00:08,500 --> 00:00:11,000\nthree",
    )
    (tmp_path / "talk.srt").write_text("\n\n".join(f"{k}\n{cue}" for k, cue in enumerate(cues, 1)))
    index = Index.open(tmp_path / "my.index", toy.ColourEncoder())
    index.add(tmp_path / "talk.mp4")
    clips = index.moments(index.search("red")[0].media_id)
    alone, wide, again = find_picks(
        index, [parse_pick(clips[1].id), Pick(clips[0].id, 3.0, 9.0), Pick.of(clips[2].to_dict())]
    )
    assert (alone.start_s, alone.end_s, alone.text) == (4.0, 8.0, "two")
    assert (wide.start_s, wide.end_s, wide.text) == (3.0, 9.0, "one two three")
    assert (again.start_s, again.end_s, again.text) == (8.0, 12.0, "three")


def kill_and_look(film: Path, folder: Path, rng: random.Random, kills: int) -> int:
    """Kill the command at random moments while it writes over an older cut; return how often in time."""
    out = folder / "x.mp4"
    command = [sys.executable, "-m", "sayso.cli.main", "clip", f"{film}@1-19", "-o", str(out)]
    program = [sys.executable, "-c", "import sys; from sayso.cli.main import main; main()", *command[3:]]
    began = time.monotonic()
    subprocess.run(program, check=True, capture_output=True)
    whole_s = time.monotonic() - began
    killed = 0
    for _ in range(kills):
        before = out.read_bytes() if out.exists() else None
        if before is not None and rng.random() < 0.5:
            out.unlink()
            before = None
        with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(rng.uniform(0.2, 1.0) * whole_s)
            process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        after = out.read_bytes() if out.exists() else None
        if after is not None and after != before:
            with av.open(str(out)) as file:
                assert sum(1 for _ in file.decode(video=0)) == 540, "half a cut has the name of a whole one"
        seen = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
        assert seen <= {"film.mp4", "x.mp4"}, "what is not whole has no name that a person sees"
    subprocess.run(program, check=True, capture_output=True)
    return killed


def make_long(folder: Path) -> Path:
    return films.make(folder / "film.mp4", 600, size=(320, 240), g="100", preset="ultrafast")


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path):
    kill_and_look(make_long(tmp_path), tmp_path, random.Random(3), kills=4)


@pytest.mark.slow
def test_killed_at_twenty_random_moments(tmp_path):
    assert kill_and_look(make_long(tmp_path), tmp_path, random.Random(4), kills=20) >= 12
    assert os.listdir(tmp_path) != []
