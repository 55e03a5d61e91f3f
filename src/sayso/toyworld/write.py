"""Writing a corpus: mp4 files with captions beside them, the truth, and a test set.

OUT/train/video-0000.mp4, .vtt    narrated videos
OUT/test/test-000.mp4             silent videos of pairs that training never shows
OUT/test/manifest.csv             path, start_s, end_s, text: one row a clip, all different
OUT/truth.json                    what is seen and what is said when, in all videos
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sayso.core.device import cores
from sayso.core.errors import SaysoError
from sayso.core.io import write_atomic
from sayso.core.lazy import need
from sayso.core.progress import Progress, Silent
from sayso.core.types import Caption
from sayso.text import write_vtt
from sayso.toyworld.howto import HowTo, Narration, held_out_videos, training_video
from sayso.toyworld.scene import Frames, film_place, film_step
from sayso.toyworld.styles import draw_style

_PLACES = 3  # random stream of places, beside those of videos and of tasks
_KEYFRAMES = 10  # frames from one to the next: clips are read at random


def render(
    video: HowTo, *, size: int = 64, fps: float | Fraction = 10, places: Literal["step", "task"] = "step"
) -> Iterator[Frames]:
    """Yield a video in pieces (T, size, size, 3) uint8 RGB, steps and pauses in turn.

    The same video always gives the same pixels. Every step is another shot, in another place;
    or all videos of a task are filmed in one place, which then alone tells what words to expect:
    what a model learns that is never asked to tell the steps of a video apart.

    Args:
        video: what happens in it.
        size: pixels of the square frames.
        fps: frames a second.
        places: what each step, or each task, has a place of its own for.
    """
    rng = np.random.default_rng([*video.seed, 1])
    now = 0
    for step in video.steps:
        style = draw_style(rng, size)
        if places == "task" and video.task >= 0:
            style = draw_style(np.random.default_rng([video.seed[0], _PLACES, video.task]), size)
        begin, end = round(step.span.start * fps), round(step.span.end * fps)
        if begin > now:
            yield film_place(rng, style, begin - now, size)
        yield film_step(rng, style, step.verb, step.colour, step.thing, end - begin, size)
        now = end
    if round(video.duration_s * fps) > now:
        yield film_place(rng, draw_style(rng, size), round(video.duration_s * fps) - now, size)


def write_corpus(
    folder: str | os.PathLike[str],
    *,
    videos: int = 200,
    seed: int = 0,
    test_clips: int = 240,
    size: int = 64,
    fps: int = 10,
    narration: Narration | None = None,
    places: Literal["step", "task"] = "step",
    progress: Progress | None = None,
) -> Path:
    """Write a corpus into a new folder.

    Args:
        folder: must not exist, or be empty.
        videos: narrated training videos, about 7 steps and 30 seconds each.
        seed: of all that is random; the pairs of the test set are the same for all seeds.
        test_clips: clips of the test set, at most 392.
        size: pixels of the square videos, even and at least 16.
        fps: frames a second.
        narration: how the training videos are narrated.
        places: what each step or each task has its own of; those of the test set are always new.
        progress: updated with the number of videos written.

    Returns:
        The folder.

    Raises:
        SaysoError: if the folder holds something, or a number makes no sense.
    """
    out = Path(folder)
    _check(out, videos, size, fps, seed)
    try:
        tests = held_out_videos(seed, test_clips)
    except ValueError as error:
        raise SaysoError(str(error)) from error
    trained = [training_video(seed, number, narration=narration) for number in range(videos)]
    films = {f"train/video-{number:04}": video for number, video in enumerate(trained)}
    films |= {f"test/test-{number:03}": video for number, video in enumerate(tests)}
    draw = partial(render, size=size, fps=fps, places=places)
    _write_films(out, films, draw, fps, progress or Silent())
    _write_manifest(out / "test", tests)
    truth: dict[str, Any] = {"seed": seed, "size": size, "fps": fps, "places": places}
    truth["videos"] = [_truth(*film) for film in films.items()]
    write_atomic(out / "truth.json", json.dumps(truth, indent=1) + "\n")
    return out


def _check(out: Path, videos: int, size: int, fps: int, seed: int) -> None:
    """Refuse numbers that make no sense, and a folder that holds something."""
    if videos < 1 or size < 16 or size % 2 or fps < 1 or seed < 0:
        raise SaysoError(
            "a toy corpus needs videos >= 1, an even size >= 16, fps >= 1 and seed >= 0; "
            f"got {videos}, {size}, {fps} and {seed}"
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SaysoError(f"{out} is there already; name a new folder")


def write_video(path: Path, pieces: Iterator[Frames], fps: int) -> None:
    """Write frames as H.264 in mp4.

    Args:
        path: the file.
        pieces: (T, H, W, 3) uint8 RGB each, one after the other.
        fps: frames a second.

    Raises:
        MissingExtra: if PyAV is not installed.
    """
    av = need("av", "all")
    options = {"preset": "veryfast", "crf": "20", "g": str(_KEYFRAMES), "threads": "1"}
    with av.open(str(path), "w") as container:
        stream = None
        for piece in pieces:
            if stream is None:
                stream = container.add_stream("libx264", rate=fps, options=options)
                stream.height, stream.width = piece.shape[1:3]
                stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, fps)
            for frame in piece:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        if stream is not None:
            container.mux(stream.encode())


def _write_films(
    out: Path,
    films: dict[str, HowTo],
    draw: Callable[[HowTo], Iterator[Frames]],
    fps: int,
    progress: Progress,
) -> None:
    for part in ("train", "test"):
        (out / part).mkdir(parents=True, exist_ok=True)

    def write(name: str) -> None:
        video = films[name]
        write_video(out / f"{name}.mp4", draw(video), fps)
        if video.lines:
            captions = [Caption(line.span, line.text) for line in video.lines]
            (out / f"{name}.vtt").write_text(write_vtt(captions), encoding="utf-8")

    with ThreadPoolExecutor(cores()) as pool:
        for done, _ in enumerate(pool.map(write, films), 1):
            progress.update(done, len(films))


def _write_manifest(folder: Path, tests: Sequence[HowTo]) -> None:
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("path", "start_s", "end_s", "text"))
        for number, video in enumerate(tests):
            for step in video.steps:
                table.writerow((f"test-{number:03}.mp4", step.span.start, step.span.end, step.caption))


def _truth(name: str, video: HowTo) -> dict[str, Any]:
    return {"path": f"{name}.mp4", **asdict(video)}
