"""What more videos are worth: the lecture's "Impact of scale" on the toy world, with its slope per doubling.

    OMP_NUM_THREADS=1 python benchmarks/scale.py --out OUT                 # 100 to 1,600 videos, 3 seeds
    OMP_NUM_THREADS=1 python benchmarks/scale.py --out OUT --svg docs/scale.svg
    OMP_NUM_THREADS=1 python benchmarks/scale.py --out OTHER --features offline     # 8 CPU minutes more

A seed puts the videos into an order, and its first 100, 200, ... are the corpora, each within the next,
written in HowTo100M's form. Half of what is said is about nothing visible, the rest some seconds early or
late. Features of each second are planted: directions for what is done, to what, in which colour, for the two
together, for the shot, and noise. Or they are what the offline encoder sees of drawn frames, one every two
seconds of the training videos. Every run has the same recipe and as many updates, with another start a
seed; the weights of its last step are measured, on clips of pairs (verb, object) that no training video
shows or names:

R@10, median rank    each clip's name among all clips (``sayso evaluate clip-retrieval``'s ranking)
CrossTask recall     the steps of each test film, placed in order (``sayso evaluate crosstask``)

The slope is that of a line through a seed's measures against log2 of the videos; its interval is Student's
over seeds. Runs that are finished are not repeated.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import math
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from curves import Curve, draw_curves
from results import Report, json_option
from scipy.stats import t as student
from whole_runs import whole

import sayso
from sayso.core.device import cores
from sayso.data.features import NpyFeatures
from sayso.encoders import load_encoder
from sayso.encoders.batching import unit_norm
from sayso.evaluation.clip_features import embed_features
from sayso.evaluation.clip_retrieval import rank_embeddings
from sayso.evaluation.evaluator import EvaluationOptions
from sayso.evaluation.registry import EVALUATORS
from sayso.toyworld.howto import HowTo, Narration, held_out_videos, training_video
from sayso.toyworld.write import render

SIZE, WORLD, TEST_CLIPS = 128, 0, 392
DIM, SHOT, NOISE, PLANTED = 384, 1.0, 4.0, 7
RATES = {"planted": Fraction(1), "offline": Fraction(1, 2)}  # a second to learn from; tests have one
NARRATION = Narration(lag_sd_s=0.5)  # half of the lines are chatter
RECIPE: dict[str, Any] = {"dim": 256, "lr": 1e-3, "per_video": 4, "batch_size": 64, "workers": 1}
MEASURES = ("R@10", "median rank", "CrossTask recall")


@dataclass(frozen=True)
class Run:
    """The first ``videos`` of a seed's order."""

    seed: int
    videos: int

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.videos}-{self.seed}"


def planted(film: HowTo) -> np.ndarray:
    """Return (T, D) float32: what is seen of each second of a film, with noise."""
    rng = np.random.default_rng([*film.seed, PLANTED])
    rows = []
    for second in range(math.ceil(film.duration_s)):
        shown = [step for step in film.steps if step.span.start <= second + 0.5 < step.span.end]
        row = NOISE * _direction(rng)
        for step in shown:
            for name in (step.verb, step.thing, step.colour, f"{step.verb} {step.thing}"):
                row = row + _direction(np.random.default_rng([PLANTED, *name.encode()]))
            row = row + SHOT * _direction(np.random.default_rng([*film.seed, PLANTED, step.number]))
        rows.append(row)
    return unit_norm(np.stack(rows).astype(np.float32))


def _direction(rng: np.random.Generator) -> np.ndarray:
    drawn = rng.standard_normal(DIM)
    return drawn / np.linalg.norm(drawn)


def write_features(folder: Path, films: dict[str, HowTo], see: Callable[[HowTo], np.ndarray]) -> None:
    """Write what is seen of films, (T, D) each, of those that have none yet."""
    folder.mkdir(parents=True, exist_ok=True)

    def write(name: str) -> None:
        part = folder / f"{name}.part"
        with part.open("wb") as file:
            np.save(file, see(films[name]))
        part.rename(folder / f"{name}.npy")

    missing = [name for name in films if not (folder / f"{name}.npy").exists()]
    with ThreadPoolExecutor(cores()) as pool:
        for _ in pool.map(write, missing):
            pass


def seen_by_encoder(rate: Fraction) -> Callable[[HowTo], np.ndarray]:
    """Return what gives the offline encoder's embeddings of a film, so many a second."""
    encoder = load_encoder("offline")

    def see(film: HowTo) -> np.ndarray:
        return encoder.encode_images(list(np.concatenate(list(render(film, size=SIZE, fps=rate)))))

    return see


def write_subset(folder: Path, films: dict[str, HowTo]) -> None:
    """Write videos and what is said in them in the form of HowTo100M's release."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "videos.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("video_id", "rank"), *((name, 1) for name in films)])
    said = {
        name: {
            "start": [line.span.start for line in film.lines],
            "end": [line.span.end for line in film.lines],
            "text": [line.text for line in film.lines],
        }
        for name, film in films.items()
    }
    (folder / "caption.json").write_text(json.dumps(said))


def write_crosstask(folder: Path, films: dict[str, HowTo]) -> None:
    """Write the test films in the form of CrossTask's release: each is a task of its own."""
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    tasks, listed = [], []
    for task, (name, film) in enumerate(films.items()):
        steps = [step.caption for step in film.steps]
        tasks.append("\n".join([str(task), name, "-", str(len(steps)), ",".join(steps), ""]))
        listed.append(f"{task},{name},")
        rows = [f"{k},{step.span.start},{step.span.end}" for k, step in enumerate(film.steps, 1)]
        (folder / "annotations" / f"{task}_{name}.csv").write_text("\n".join(rows))
    (folder / "tasks_primary.txt").write_text("\n".join(tasks))
    (folder / "videos_val.csv").write_text("\n".join(listed))


def measure(model: Any, out: Path, tests: dict[str, HowTo]) -> dict[str, float]:
    """Return what a model retrieves, and how many steps it places."""
    listed = [(name, step.span, step.caption) for name, film in tests.items() for step in film.steps]
    clips = embed_features(model, out / "test", listed)
    ranks = rank_embeddings(model.encode_text(clips.texts), clips.vectors)["text to clip"]
    seconds = out / "seconds" / str(time.time_ns())
    seconds.mkdir(parents=True)
    features = NpyFeatures(out / "test", 1.0)  # a row of what was pooled has unit norm in training
    for name in tests:
        np.save(seconds / f"{name}.npy", model.encode_features(unit_norm(features.read(name))))
    placed = EVALUATORS["crosstask"](model, out / "crosstask", EvaluationOptions(features=seconds))
    return dict(zip(MEASURES, (ranks["R@10"], ranks["median_rank"], placed.primary.value), strict=True))


@dataclass(frozen=True)
class Training:
    """How runs are trained, and where."""

    out: Path
    steps: int
    rate: float


def train(asked: Training, run: Run) -> dict[str, float]:
    """Train and measure a run, unless that is done."""
    out, steps = asked.out, asked.steps
    logging.getLogger("sayso").setLevel(logging.ERROR)
    folder = out / "runs" / f"{run.name}-{steps}"
    done = folder.with_suffix(".json")
    if not done.exists():
        began = time.process_time()
        recipe = RECIPE | {"steps": steps, "save_every": steps, "seed": run.seed}
        recipe |= {"features": (str(out / "train"),), "feature_rates": (asked.rate,)}
        begun = (folder / "config.toml").exists()
        corpus = out / "corpora" / run.name
        trained = whole(sayso.train("howto100m", corpus, folder, device="cpu", resume=begun, **recipe))
        scores = measure(sayso.load(str(trained.folder), device="cpu"), out, test_films())
        done.write_text(json.dumps(scores | {"cpu_s": time.process_time() - began}))
    found: dict[str, float] = json.loads(done.read_text())
    return found


def training_films(videos: int) -> dict[str, HowTo]:
    """Return the narrated videos by their names."""
    return {f"video-{n:05}": training_video(WORLD, n, narration=NARRATION) for n in range(videos)}


def test_films() -> dict[str, HowTo]:
    """Return the films of pairs that training never shows, by their names."""
    return {f"test-{n:03}": film for n, film in enumerate(held_out_videos(WORLD, TEST_CLIPS))}


def prepare(out: Path, sizes: list[int], seeds: int, features: str) -> list[Run]:
    """Write features, corpora and the test, and return the runs, the largest corpora first."""
    films, tests = training_films(max(sizes)), test_films()
    for part, shown, rate in (("train", films, RATES[features]), ("test", tests, Fraction(1))):
        see = planted if features == "planted" else seen_by_encoder(rate)
        write_features(out / part, shown, see)
    write_crosstask(out / "crosstask", tests)
    names = list(films)
    runs = [Run(seed, videos) for videos in sorted(sizes, reverse=True) for seed in range(seeds)]
    for run in runs:
        order = np.random.default_rng([WORLD, run.seed]).permutation(len(names))
        write_subset(out / "corpora" / run.name, {names[n]: films[names[n]] for n in order[: run.videos]})
    return runs


def slope(sizes: list[int], rows: np.ndarray) -> tuple[float, float]:
    """Return the slope of rows (seeds, sizes) per doubling, and half the width of its 95 % interval."""
    slopes = np.polyfit(np.log2(sizes), rows.T, 1)[0]
    if len(slopes) < 2:
        return float(slopes[0]), math.nan
    width = student.ppf(0.975, len(slopes) - 1) * slopes.std(ddof=1) / math.sqrt(len(slopes))
    return float(slopes.mean()), float(width)


def write_report(report: Report, sizes: list[int], found: dict[str, np.ndarray]) -> None:
    """Print the table: a row a size, and the slopes."""
    report.table(f"{TEST_CLIPS} clips of pairs never shown", ("videos", *MEASURES))
    report.row("chance", f"{10 / TEST_CLIPS:.3f}", f"{(TEST_CLIPS + 1) / 2}", "")
    for k, videos in enumerate(sizes):
        cells = []
        for name in MEASURES:
            rows = found[name][:, k]
            digits = 1 if name == "median rank" else 3
            spread = rows.std(ddof=1) if len(rows) > 1 else math.nan
            cells.append(f"{rows.mean():.{digits}f} ± {spread:.{digits}f}")
        report.row(f"{videos:,}", *cells)
    slopes = [slope(sizes, found[name]) for name in MEASURES]
    report.row("a doubling gives", *(f"{value:+.3f} ± {width:.3f} (95 %)" for value, width in slopes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of features, corpora and runs")
    parser.add_argument("--videos", type=int, nargs="+", default=[100, 200, 400, 800, 1600])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300, help="updates of every run")
    parser.add_argument("--features", choices=list(RATES), default="planted")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each on one core")
    parser.add_argument("--svg", type=Path, help="also draw the curves")
    json_option(parser)
    asked = parser.parse_args()
    report, sizes = Report("scale", asked), sorted(asked.videos)
    how = Training(asked.out, asked.steps, float(RATES[asked.features]))
    runs = prepare(asked.out, sizes, asked.seeds, asked.features)
    seen_s = time.perf_counter()
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.jobs, mp_context=spawned) as pool:
        scores = dict(zip(runs, pool.map(partial(train, how), runs), strict=True))
    seeds = range(asked.seeds)
    found = {
        name: np.array([[scores[Run(seed, videos)][name] for videos in sizes] for seed in seeds])
        for name in MEASURES
    }
    write_report(report, sizes, found)
    print(f"\n{sum(one['cpu_s'] for one in scores.values()):,.0f} CPU seconds of training, "
          f"{time.perf_counter() - seen_s:,.0f} s of this run after features")  # fmt: skip
    if asked.svg:
        shown = [Curve(name, found[name]) for name in ("R@10", "CrossTask recall")]
        asked.svg.write_text(draw_curves(sizes, shown, "training videos", "share"))
    report.close()


if __name__ == "__main__":
    main()
