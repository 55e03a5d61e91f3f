"""A sample to try everything on: drawn in seconds, no download, and commands that work on it as they are.

OUT/README.txt                      the commands
OUT/film/film.mp4, .txt, .srt       a film under a minute, its screenplay, its subtitles
OUT/film/film.tracks.json           its face tracks, as drawn
OUT/howto/video-0.mp4, .vtt, ...    narrated videos of one task
OUT/tagged/train, test              pictures of several things, and their tags
OUT/titles.txt                      names of tasks, some of which can be seen
OUT/captioned/train, test           pictures and their captions; zero_shot: a folder a kind of thing
"""

from __future__ import annotations

import filecmp
import os
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from sayso.core.counted import counted
from sayso.core.errors import MediaError, SaysoError
from sayso.core.io import atomic_folder
from sayso.core.ownership import RECORD
from sayso.core.progress import Amount, Progress, Silent
from sayso.core.types import Caption
from sayso.media import stream_frames
from sayso.people.tracks import write_tracks
from sayso.text import write_srt, write_vtt
from sayso.toyworld.captioned import write_captioned
from sayso.toyworld.film import (
    FilmShot,
    film_captions,
    film_shots,
    film_tracks_of,
    render_film,
    screenplay_text,
)
from sayso.toyworld.scenes import write_scenes
from sayso.toyworld.tasks import task_steps, task_video
from sayso.toyworld.write import render, write_video

TASK = 0
TITLES = ("Peel Garlic", "Change a Tyre", "Be Happy", "Fold a Paper Crane", "Understand Taxes")
_FILM_SIZE, _FILM_FPS = 160, 10
_ALIKE = 3.0  # mean difference of pixels, of 255, up to which frames show the same
_HOWTO_SIZE, _HOWTO_FPS = 64, 5
_VIDEOS, _TAGGED, _TAGGED_TEST, _CAPTIONED, _CAPTIONED_TEST = 8, 48, 12, 96, 28

README = """\
A sample of everything that sayso reads, drawn by `sayso sample` (seed {seed}). No file here was downloaded.
Run the commands in this folder, in this order; together they take some minutes on two cores.

FIND. An index of all that is here, and moments found by words: what is seen, what is said, who says it.

    sayso index my.index film howto tagged captioned --model offline
    sayso search my.index "{thing}" --limit 5
    sayso search my.index "grandmother brought it from Lisbon" --limit 3
    sayso serve my.index

KEEP. What the index holds, which folders it keeps up to date, and results as clips and as a list of cuts.

    sayso info my.index
    sayso roots my.index
    sayso list my.index film
    sayso clip film/film.mp4@12-16 --out answer.mp4
    sayso search my.index "{thing}" --limit 3 --sheet found.png --edl

FILM. The screenplay says who, the subtitles say when: each gets what it lacks. Then the faces get names
(film.tracks.json has them as drawn: no detector finds such faces; in a film of your own they are found).

    sayso align film/film.txt film/film.srt
    sayso align film/film.txt film/film.srt --out film/film.timed --video film/film.mp4
    sayso index film.index film/film.timed.moments.jsonl --model offline
    sayso search film.index "{description}" --limit 3
    sayso name film/film.mp4 --script film/film.txt --subtitles film/film.srt \\
        --tracks film/film.tracks.json --out film/film.names --overlay film/film.names.mp4
    sayso index people.index film/film.names.moments.jsonl --model offline
    sayso search people.index "who:anna" --limit 3

HOW-TO. What {videos} narrated videos of one task have in common: its steps, and when they happen in each.
The task, as it was drawn: {steps}.

    sayso steps howto --steps {count} --before 5 --after 5 --model offline --out task.steps
    sayso steps apply task.steps howto/video-0.mp4

TAGS. A network that learns from tags where things are; nobody draws a box.

    sayso train localize tagged/train --out runs/where --set size=160 --set steps=60 --set scales=[1.0,1.4]
    sayso localize tagged/test/images --model runs/where --out located
    sayso evaluate weak-localization --data tagged/test --model runs/where

CAPTIONS. Which pairs are worth learning from; names as a classifier (the offline model knows photographs, and
drawings little); a dual encoder of pictures and texts, and two of narrated videos, from scratch. So few
examples teach little: `sayso toyworld` draws thousands.

    sayso curate captioned/train/captions.json --out kept.parquet --rules none \\
        --not-in captioned/test/captions.json
    sayso classify captioned/test/images --names "cup, key, fish, tree, star" --top 2 --model offline
    sayso train clip kept.parquet --recipe clip-toy --test captioned/test/captions.json \\
        --out runs/pictures --set steps=60 --set warmup=10
    sayso evaluate captioned/test/captions.json --model runs/pictures
    sayso evaluate zero-shot --data captioned/zero_shot --model runs/pictures
    sayso train howto100m howto --out runs/features \\
        --set steps=50 --set warmup=5 --set batch_size=8 --set per_video=4
    sayso train mil-nce howto --recipe mil-nce-toy --out runs/clips \\
        --set steps=20 --set warmup=5 --set batch_size=8
    sayso search my.index "{thing}" --filter "kind = 'video'" --limit 3

CORPUS. Which tasks can be seen, by their titles; what a corpus of their videos would take on this machine.

    sayso corpus tasks titles.txt --out tasks.csv
    sayso corpus estimate --videos 500 --hours 40 --sample howto/video-0.mp4

WHAT ELSE. The notebooks of the lecture, what can be evaluated, and what is installed here. Not shown here:
`sayso transcribe` (nobody speaks in the sample), and `sayso ask` and `sayso caption` (they need a model that
answers in words; docs/models.md lists some).

    sayso lecture
    sayso evaluate --list
    sayso models
    sayso doctor
"""


def write_sample(folder: str | os.PathLike[str], *, seed: int = 0, progress: Progress | None = None) -> Path:
    """Draw the sample into a new folder, which takes its name when all of it is there.

    In the folder of a sample that this seed drew, only what has gone is drawn again; all else stays as it is.

    Args:
        folder: must not exist, be empty, or hold the sample of this seed.
        seed: of all that is random; the same seed draws the same.
        progress: updated with the number of videos and pictures drawn.

    Returns:
        The folder.

    Raises:
        SaysoError: if the folder holds something else, a file of the sample in it was changed, it cannot be
            written, or the seed is negative.
        MissingExtra: if PyAV is not installed.
    """
    if seed < 0:
        raise SaysoError(f"a sample needs a seed of 0 or more; got {seed}")
    target, progress = Path(folder), progress or Silent()
    if _is_sample(target, seed):
        _complete(target, seed, progress)
    else:
        with atomic_folder(target) as out:
            _draw(out, seed, progress)
    return target


def _is_sample(folder: Path, seed: int) -> bool:
    """Tell whether a folder has the README of a sample that a seed draws."""
    try:
        return (folder / "README.txt").read_text(encoding="utf-8") == sample_readme(film_shots(seed), seed)
    except (OSError, ValueError):
        return False


def _complete(folder: Path, seed: int, progress: Progress) -> None:
    """Draw a sample anew beside its folder, and move into it what is not there; nothing is written over.

    Raises:
        SaysoError: if a file of it is there with other content, or it cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.absolute().parent) as drawn:
            _draw(Path(drawn), seed, progress)
            names = [path.relative_to(drawn) for path in sorted(Path(drawn).rglob("*")) if path.is_file()]
            there = [name for name in names if name.name != RECORD and os.path.lexists(folder / name)]
            if changed := [name for name in there if not _same(folder / name, Path(drawn, name))]:
                more = len(changed) - 1
                rest = f" and {counted(more, 'more file')} are" if more else " is"
                raise SaysoError(
                    f"{folder / changed[0]}{rest} not as drawn by this command, which writes over nothing; "
                    "give another folder, or move away what was changed"
                )
            for name in names:
                if not os.path.lexists(folder / name):
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    Path(drawn, name).replace(folder / name)
    except OSError as error:
        raise SaysoError(
            f"{folder} cannot be written: {error.strerror or error}; give another place"
        ) from error


def _same(path: Path, other: Path, fps: int = _FILM_FPS) -> bool:
    """Tell whether two files hold the same, or videos show it: their encoder writes other bytes each time."""
    if not path.is_file() or path.suffix != ".mp4":
        return path.is_file() and filecmp.cmp(path, other, shallow=False)
    try:
        pairs = zip(stream_frames(path, fps=fps), stream_frames(other, fps=fps), strict=True)
        return all(
            one.shape == two.shape and np.abs(one.astype(float) - two).mean() < _ALIKE
            for (_, one), (_, two) in pairs
        )
    except (MediaError, ValueError):  # it cannot be read, or has another length
        return False


def _draw(out: Path, seed: int, progress: Progress) -> None:
    tagged, captioned = _TAGGED + _TAGGED_TEST, _CAPTIONED + 2 * _CAPTIONED_TEST
    report = partial(_Part, progress, total=1 + _VIDEOS + tagged + captioned)
    shots = film_shots(seed)
    _write_film(out / "film", shots, seed)
    report(before=0).update(1)
    _write_howto(out / "howto", seed, report(before=1))
    bar = report(before=1 + _VIDEOS)
    write_scenes(out / "tagged", train=_TAGGED, test=_TAGGED_TEST, seed=seed, progress=bar)
    bar = report(before=1 + _VIDEOS + tagged)
    write_captioned(out / "captioned", train=_CAPTIONED, test=_CAPTIONED_TEST, seed=seed, progress=bar)
    (out / "titles.txt").write_text("\n".join(TITLES) + "\n", encoding="utf-8")
    (out / "README.txt").write_text(sample_readme(shots, seed), encoding="utf-8")


def sample_readme(shots: Sequence[FilmShot], seed: int) -> str:
    """Return the sample's README: what is there, and the commands, four blanks before each."""
    steps = task_steps(seed, TASK)
    return README.format(
        seed=seed,
        thing=f"{shots[0].colour} {shots[0].thing}",
        description=next(shot.written for shot in shots if shot.verb).rstrip("."),
        videos=_VIDEOS,
        count=len(steps),
        steps=", ".join(" ".join(step) for step in steps),
    )


def _write_film(folder: Path, shots: list[FilmShot], seed: int) -> None:
    folder.mkdir()
    write_video(folder / "film.mp4", render_film(shots, seed, _FILM_SIZE, _FILM_FPS), _FILM_FPS)
    (folder / "film.txt").write_text(screenplay_text(shots), encoding="utf-8")
    (folder / "film.srt").write_text(write_srt(film_captions(shots)), encoding="utf-8")
    write_tracks(folder / "film.tracks.json", film_tracks_of(shots, seed, _FILM_SIZE))


def _write_howto(folder: Path, seed: int, progress: Progress) -> None:
    folder.mkdir()
    for number in range(_VIDEOS):
        video = task_video(seed, TASK, number)
        write_video(
            folder / f"video-{number}.mp4", render(video, size=_HOWTO_SIZE, fps=_HOWTO_FPS), _HOWTO_FPS
        )
        captions = [Caption(line.span, line.text) for line in video.lines]
        (folder / f"video-{number}.vtt").write_text(write_vtt(captions), encoding="utf-8")
        progress.update(number + 1)


class _Part:
    """Reports a part of the work as what it is of the whole."""

    def __init__(self, progress: Progress, *, before: int, total: int) -> None:
        self.progress, self.before, self.total = progress, before, total

    def update(
        self, done: float, total: float | None = None, note: str = "", amount: Amount | None = None
    ) -> None:
        """Report it; ``total`` is of the part, and not passed on."""
        del total
        self.progress.update(self.before + done, self.total, note, amount)
