"""CrossTask's table with planted features: uniform, Alayrac, Zhukov (shared and not), supervised.

Tasks, steps, videos and annotated seconds are the release's; the features of each second are drawn: the
words of the step that is on, what is the step's own, or a scene of the background, under noise. Narration
is drawn as well: steps that are told of some seconds early or late, or wrongly, or never.

    python benchmarks/crosstask.py --data RELEASE --out FOLDER [--noise 2 4 6] [--videos 20] [--published]

``--published`` adds Zhukov's training as published (``rule=published``, 30 + 30 epochs), and says which wins.

Features of the real videos go the same way, with constraints or captions:

    sayso train crosstask RELEASE --out RUN --set features=FEATURES --set windows=CONSTRAINTS
    sayso evaluate crosstask --data RELEASE --features FEATURES --model RUN
"""

from __future__ import annotations

import argparse
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

import sayso
from sayso.data.datasets.crosstask import (
    InstructionTask,
    listed_videos,
    read_segments,
    read_tasks,
    read_windows,
    truth,
)
from sayso.data.features import NpyFeatures
from sayso.evaluation import EvaluationOptions, EvaluationResult
from sayso.evaluation.crosstask import CROSSTASK
from sayso.metrics.steps import mean_recall, step_recall
from sayso.systems.instruction_steps import localize_steps

DIM = 64
LEFT_OUT = 3  # the exit code where listed videos have no features
PUBLISHED = "Zhukov, as published"
ITERATIONS = 60  # of Frank-Wolfe, a task
TOLD, WRONG = 0.6, 0.25  # share of steps that are told of; of these, at any time
EARLY_S, SPREAD_S, OPEN_S = -2.0, 4.0, 10.0  # when a step is told of after its start; how long it may last


class Planted:
    """Features and narration drawn over the release's annotations.

    Args:
        tasks: of the release.
        noise: length of the noise; a step's appearance has length 1.
        seed: of all chance.
    """

    def __init__(self, tasks: dict[str, InstructionTask], noise: float, seed: int) -> None:
        self.noise, self.seed = noise, seed
        rng = np.random.default_rng([seed, 0])
        words = sorted({w for task in tasks.values() for step in task.steps for w in _words(step)})
        looks = dict(zip(words, _units(rng, len(words)), strict=True))
        self.steps, self.scenes = {}, {}
        for name, task in sorted(tasks.items()):
            shared = np.array([_unit(sum(looks[w] for w in _words(step))) for step in task.steps])
            self.steps[name] = np.sqrt(0.7) * shared + np.sqrt(0.3) * _units(rng, len(task.steps))
            self.scenes[name] = _units(rng, 6)
        self.any = np.concatenate(list(self.steps.values()))

    def features(self, task: str, inside: np.ndarray, video: int) -> np.ndarray:
        """Return (T, D) float32 of a video: what is on, its light, and noise."""
        rng = np.random.default_rng([self.seed, 1, video])
        T = len(inside)
        X = inside @ self.steps[task] / np.maximum(1, inside.sum(1, keepdims=True))
        scenes = np.concatenate([self.scenes[task], self.any[rng.integers(len(self.any), size=3)]])
        shown = np.repeat(rng.integers(len(scenes), size=-(-T // 5)), 5)[:T]
        X = np.where(inside.any(1, keepdims=True), X, scenes[shown]) + 0.5 * _units(rng, 1)
        return (X + self.noise * rng.normal(size=(T, DIM)) / math.sqrt(DIM)).astype(np.float32)

    def windows(self, inside: np.ndarray, video: int) -> np.ndarray:
        """Return (T, K) of 0 and 1: when narration lets each step be."""
        rng = np.random.default_rng([self.seed, 2, video])
        T, K = inside.shape
        allowed = np.zeros((T, K), dtype=np.int64)
        for k in range(K):
            right = rng.random() >= WRONG and inside[:, k].any()
            start = int(inside[:, k].argmax()) + rng.normal(EARLY_S, SPREAD_S) if right else rng.uniform(0, T)
            if rng.random() < TOLD:
                first = int(np.clip(start, 0, T - 1))
                allowed[first : first + round(OPEN_S), k] = 1
        return allowed


def plant(data: Path, out: Path, noise: float, seed: int, videos: int) -> None:
    """Write features and constraints of the validation videos, and of so many others of each primary task."""
    tasks = read_tasks(data / "tasks_primary.txt")
    world = Planted(tasks, noise, seed)
    (out / "features").mkdir(parents=True)
    (out / "windows").mkdir()
    aside = set(listed_videos(data / "videos_val.csv", tasks))
    left = dict.fromkeys(tasks, videos)
    for number, (task, video) in enumerate(sorted({*listed_videos(data / "videos.csv", tasks), *aside})):
        table = data / "annotations" / f"{task}_{video}.csv"
        left[task] -= (task, video) not in aside
        if not table.exists() or ((task, video) not in aside and left[task] < 0):
            continue
        steps = len(tasks[task].steps)
        segments = read_segments(table, steps)
        last = max((segment.end for segment in segments), default=0.0)
        inside = truth(segments, max(steps, math.ceil(1.1 * last) + 5), steps)
        np.save(out / "features" / f"{video}.npy", world.features(task, inside, number))
        (out / "windows" / f"{task}_{video}.csv").write_text(_rows(world.windows(inside, number)))


def _rows(windows: np.ndarray) -> str:
    """Return a release's constraints, a row ``step,start,end`` a second and step, of windows (T, K)."""
    return "".join(f"{k + 1},{t},{t + 1}\n" for t, k in np.argwhere(windows))


def trained(data: Path, here: Path, *changes: str) -> EvaluationResult:
    """Train step classifiers by ``sayso train``; return what the evaluator measures of them."""
    run = here / "-".join(changes).replace("=", "-")
    known = [f"features={here / 'features'}", f"windows={here / 'windows'}", *changes]
    command = ["train", "crosstask", str(data), "--out", str(run), "--progress", "off"]
    command += [part for change in known for part in ("--set", change)]
    done = subprocess.run(
        [sys.executable, "-m", "sayso", *command], check=False, capture_output=True, text=True
    )
    if done.returncode not in (0, LEFT_OUT):
        sys.exit(done.stderr)
    return CROSSTASK(sayso.load(str(run)), data, EvaluationOptions(features=here / "features"))


def as_published(data: Path, here: Path, seed: int) -> float:
    """Train for 30 + 30 epochs as published; return the recall."""
    tasks = read_tasks(data / "tasks_primary.txt")
    aside = {video for _, video in listed_videos(data / "videos_val.csv", tasks)}
    videos = sum(file.stem not in aside for file in (here / "features").glob("*.npy"))
    changes = ("rule=published", f"steps={60 * videos}", f"save_every={60 * videos}", "workers=1")
    return trained(data, here, f"seed={seed}", *changes).primary.value or 0.0


def clustered(data: Path, here: Path) -> float:
    """Cluster the training videos of each task (Alayrac et al.), and find its steps in the others."""
    tasks = read_tasks(data / "tasks_primary.txt")
    aside = listed_videos(data / "videos_val.csv", tasks)
    features = NpyFeatures(here / "features", 1.0)
    placed: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for task, about in tasks.items():
        K = len(about.steps)
        files = sorted((here / "windows").glob(f"{task}_*.csv"))
        mine = [name for file in files if (task, name := file.stem.partition("_")[2]) not in aside]
        X = [features.read(name) for name in mine]
        allowed = [
            read_windows(here / "windows" / f"{task}_{name}.csv", len(rows), K)
            for name, rows in zip(mine, X, strict=True)
        ]
        scorer = localize_steps(X, [_hull(a) for a in allowed], iterations=ITERATIONS).scorer
        for _, video in [pair for pair in aside if pair[0] == task]:
            rows = features.read(video)
            segments = read_segments(data / "annotations" / f"{task}_{video}.csv", K)
            placed.setdefault(task, []).append((truth(segments, len(rows), K), scorer.times(rows)))
    return mean_recall(step_recall(placed))


def _hull(allowed: np.ndarray) -> np.ndarray:
    """Return (K, 2): from the first to after the last second in which each step may be; all if never."""
    T, K = allowed.shape
    told = allowed.any(0)
    first, end = allowed.argmax(0), T - allowed[::-1].argmax(0)
    return np.stack([np.where(told, first, 0), np.where(told, end, T)], axis=1).reshape(K, 2)


def _words(step: str) -> list[str]:
    return re.findall(r"[^\W_]+", step.lower())


def _units(rng: np.random.Generator, count: int) -> np.ndarray:
    x = rng.normal(size=(count, DIM))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def _unit(x: np.ndarray) -> np.ndarray:
    return x / max(1e-9, np.linalg.norm(x))


def print_winners(noises: list[float], ours: list[list[float]], published: list[list[float]]) -> None:
    """Print which training wins at each noise, and by how much with each seed."""
    for noise, mine, theirs in zip(noises, ours, published, strict=True):
        gains = np.subtract(mine, theirs)
        sure = "" if (gains > 0).all() or (gains < 0).all() else ", not with each seed"
        winner = "alternating (ours)" if gains.mean() > 0 else "published"
        print(
            f"noise {noise:g}: {winner} wins by {abs(gains.mean()):.3f}{sure}: {np.round(gains, 3).tolist()}"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the release")
    parser.add_argument("--out", type=Path, required=True, help="a folder for features and runs")
    parser.add_argument("--noise", type=float, nargs="+", default=[2.0, 4.0, 6.0])
    parser.add_argument("--videos", type=int, default=20, help="to learn from, a task")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--published", action="store_true", help="Zhukov's training as published, too")
    args = parser.parse_args()
    rows: dict[str, list[list[float]]] = {}
    for noise in args.noise:
        for seed in range(args.seeds):
            here = args.out / f"noise{noise:g}-videos{args.videos}-{seed}"
            if not here.exists():
                plant(args.data, here, noise, seed, args.videos)
            supervised = trained(args.data, here, f"seed={seed}", "learn=annotations")
            found = {"uniform": supervised.published[0]["recall"], "Alayrac": clustered(args.data, here)}
            for share in ("none", "steps", "task_words", "words"):
                result = trained(args.data, here, f"seed={seed}", f"share={share}")
                found[f"Zhukov, share {share}"] = result.primary.value
            found["supervised"] = supervised.primary.value
            if args.published:
                found[PUBLISHED] = as_published(args.data, here, seed)
            for name, recall in found.items():
                rows.setdefault(name, [[] for _ in args.noise])[args.noise.index(noise)].append(recall)
            print(noise, seed, {name: round(recall, 3) for name, recall in found.items()}, flush=True)
    print(f"{'recall':24}" + "".join(f"{f'noise {noise:g}':>16}" for noise in args.noise))
    for name, columns in rows.items():
        print(f"{name:24}" + "".join(f"{np.mean(c):>9.3f} ±{np.std(c):.3f}" for c in columns))
    if args.published:
        print_winners(args.noise, rows["Zhukov, share words"], rows[PUBLISHED])


if __name__ == "__main__":
    main()
