"""Whether videos without captions teach as much once `sayso transcribe` has heard them.

    OMP_NUM_THREADS=1 python benchmarks/silent_videos.py [--videos 240] [--seeds 3] [--json FILE]

Half of a site's toy videos have captions; the other half have none, but a voice (espeak-ng) that says what
captions would. `sayso corpus` makes a corpus of both: what is silent is fetched, heard by `sayso transcribe`,
and taken in by the next build. The same recipe then learns from each half, and from the silent half with what
was really said in place of what was heard: that pair differs in nothing but the recogniser.

Features are planted (of each second, what is done to which thing, and noise), as words are what differs.
Measured is R@10 among clips of pairs (verb, object) that no training video shows. Differences come with a
95 % interval by bootstrap over seeds and queries.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import subprocess
import sys
import tempfile
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from results import Report, json_option
from whole_runs import run, whole

import sayso
from sayso.core.types import Caption
from sayso.evaluation.clip_features import embed_features
from sayso.systems.corpus import CorpusOptions, Manners, open_corpus, run_corpus
from sayso.toyworld.howto import HowTo, Narration, held_out_videos, training_video
from sayso.toyworld.write import render

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from video_host import Video, serving_videos

RATE, DIM, TEST_CLIPS, NOISE = 22_050, 64, 240, 0.5
TASKS = ("Peel Garlic", "Cut Paper", "Wash Roses", "Paint a Chair")
RECIPE: dict[str, Any] = {"dim": 128, "lr": 1e-3, "per_video": 4, "batch_size": 64, "workers": 0}
ARMS = ("captioned half", "silent half, as heard", "silent half, as said")
Columns = dict[str, list[Any]]


def speak(film: HowTo) -> NDArray[np.int16]:
    """Return the voice of a video, (n,) int16: each line at its time, or as soon as the one before ends."""
    voice = np.zeros(round(film.duration_s * RATE), np.int16)
    free = 0
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder, "line.wav")
        for line in film.lines:
            subprocess.run(["espeak-ng", "-s", "180", "-w", str(spoken), f"{line.text}."], check=True)
            with wave.open(str(spoken)) as file:
                sound = np.frombuffer(file.readframes(file.getnframes()), np.int16)
            at = max(free, round(line.span.start * RATE))
            sound = sound[: max(0, len(voice) - at)]
            voice[at : at + len(sound)] = sound
            free = at + len(sound)
    return voice


def write_film(path: Path, film: HowTo, voice: NDArray[np.int16] | None) -> None:
    """Write a video of 16 x 16 pixels, a frame a second, with a voice or without sound."""
    with av.open(str(path), "w") as out:
        pictures = out.add_stream("libx264", rate=1)
        pictures.width = pictures.height = 16
        pictures.time_base = Fraction(1)
        sound = out.add_stream("aac", rate=RATE, layout="mono") if voice is not None else None
        for k, frame in enumerate(np.concatenate(list(render(film, size=16, fps=1)))):
            shown = av.VideoFrame.from_ndarray(frame, format="rgb24")
            shown.pts = k
            out.mux(pictures.encode(shown))
        if sound is not None and voice is not None:
            for at in range(0, len(voice), 1024):
                heard = av.AudioFrame.from_ndarray(voice[None, at : at + 1024], format="s16", layout="mono")
                heard.rate, heard.pts, heard.time_base = RATE, at, Fraction(1, RATE)
                out.mux(sound.encode(heard))
            out.mux(sound.encode())
        out.mux(pictures.encode())


def make_site(folder: Path, films: dict[str, HowTo]) -> list[Video]:
    """Return the site's videos; every other one is silent, and speaks."""
    videos = []
    for k, (name, film) in enumerate(films.items()):
        silent = bool(k % 2)
        path = folder / f"{name}.mp4"
        write_film(path, film, speak(film) if silent else None)
        lines = tuple(Caption(line.span, line.text) for line in film.lines)
        fault = "silent" if silent else ""
        videos.append(Video(name, fault, (TASKS[k % len(TASKS)],), path.read_bytes(), lines))
    return videos


def make_corpus(folder: Path, videos: list[Video], report: Report) -> dict[str, Columns]:
    """Run all of ``sayso corpus``, hear what is silent, build again; return what training reads."""
    options = CorpusOptions(min_words=20, manners=Manners(per_host=1000, wait_s=0.01))
    with serving_videos(videos) as site:
        seen = dict.fromkeys(TASKS, True)
        before = run_corpus(list(TASKS), folder, site.search, options, corrections=seen)
    heard = sayso.transcribe([folder / "videos"])
    with open_corpus(folder, options) as corpus:
        corpus.build()
    known: dict[str, Columns] = json.loads((folder / "caption.json").read_text())
    report.table("the corpus", ("what", "videos"))
    report.row("on the site", len(videos))
    report.row("silent, before", before.silent)
    report.row("heard by sayso transcribe", len(heard.written))
    report.row("in the corpus", len(known))
    return known


def plant(folder: Path, films: dict[str, HowTo]) -> None:
    """Write features (T, D) of each second: the sum of what is done, to what, of which colour, and noise."""
    folder.mkdir(parents=True, exist_ok=True)
    directions: dict[str, NDArray[np.float64]] = {}
    for name, film in films.items():
        rng = np.random.default_rng([*film.seed, 9])
        rows = NOISE * rng.standard_normal((int(film.duration_s) + 1, DIM)) / np.sqrt(DIM)
        for step in film.steps:
            for word in (step.verb, step.thing, step.colour):
                if word not in directions:
                    directions[word] = np.random.default_rng(list(word.encode())).standard_normal(DIM)
                rows[int(step.span.start) : int(step.span.end) + 1] += directions[word] / np.sqrt(DIM)
        np.save(folder / f"{name}.npy", rows.astype(np.float32))


def write_half(folder: Path, said: dict[str, Columns]) -> None:
    """Write what is said in some videos in the form of HowTo100M's release."""
    folder.mkdir(parents=True)
    with (folder / "videos.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("video_id", "rank"), *((name, 1) for name in said)])
    (folder / "caption.json").write_text(json.dumps(said))


def as_said(film: HowTo) -> Columns:
    """Return the columns of a release for what is really said."""
    return {
        "start": [line.span.start for line in film.lines],
        "end": [line.span.end for line in film.lines],
        "text": [line.text for line in film.lines],
    }


def hits(out: Path, arm: int, seed: int, steps: int, tests: dict[str, HowTo]) -> NDArray[np.bool_]:
    """Train, and return of each clip's name whether its clip is among the first ten: (N,)."""
    folder = out / "runs" / f"{arm}-{seed}"
    how: dict[str, Any] = {"steps": steps, "save_every": steps, "seed": seed, "warmup": steps // 20}
    source: dict[str, Any] = {"features": (str(out / "features"),), "feature_rates": (1.0,)}
    done = sayso.train("howto100m", out / f"half-{arm}", folder, device="cpu", **RECIPE, **how, **source)
    trained = whole(done, kept=False)
    model: Any = sayso.load(str(trained.folder), device="cpu")
    listed = [(name, step.span, step.caption) for name, film in tests.items() for step in film.steps]
    clips = embed_features(model, out / "features", listed)
    scores = np.asarray(model.encode_text(clips.texts)) @ np.asarray(clips.vectors).T
    above: NDArray[np.intp] = (scores > np.diag(scores)[:, None]).sum(axis=1)
    print(f"{ARMS[arm]}, seed {seed}: {(above < 10).mean():.3f}", file=sys.stderr)
    return above < 10


def interval(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return the mean of one minus other, (seeds, N) each, and its 95 % interval."""
    rng = np.random.default_rng(0)
    differences = one.astype(float) - other
    seeds, queries = differences.shape
    means = [
        differences[rng.integers(0, seeds, seeds)][:, rng.integers(0, queries, queries)].mean()
        for _ in range(10_000)
    ]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(differences.mean()), float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--videos", type=int, default=240)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600, help="updates of every run")
    json_option(parser)
    asked = parser.parse_args()
    logging.getLogger("sayso").setLevel(logging.ERROR)
    report = Report("silent_videos", asked)
    narration = Narration(lag_sd_s=0.5)
    films = {f"video-{n:04}": training_video(0, n, narration=narration) for n in range(asked.videos)}
    tests = {f"test-{n:03}": film for n, film in enumerate(held_out_videos(0, TEST_CLIPS))}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        known = make_corpus(out / "corpus", make_site(out, films), report)
        plant(out / "features", films | tests)
        silent = [name for k, name in enumerate(films) if k % 2 and name in known]
        captioned = [name for name in known if name not in silent][: len(silent)]
        write_half(out / "half-0", {name: known[name] for name in captioned})
        write_half(out / "half-1", {name: known[name] for name in silent})
        write_half(out / "half-2", {name: as_said(films[name]) for name in silent})
        found = [
            np.array([hits(out, arm, seed, asked.steps, tests) for seed in range(asked.seeds)])
            for arm in range(len(ARMS))
        ]
    title = f"learned from {len(silent)} videos each; {TEST_CLIPS} clips, {asked.seeds} seeds"
    report.table(title, ("training", "R@10"))
    report.row("chance", f"{10 / TEST_CLIPS:.3f}")
    for name, rows in zip(ARMS, found, strict=True):
        report.row(name, f"{rows.mean():.3f} ± {rows.mean(axis=1).std(ddof=min(1, asked.seeds - 1)):.3f}")
    for title, other in (("heard minus captioned", 0), ("heard minus said", 2)):
        mean, low, high = interval(found[1], found[other])
        report.row(title, f"{mean:+.3f} ({low:+.3f} to {high:+.3f})")
    report.close()


if __name__ == "__main__":
    run(main, kept=False)
