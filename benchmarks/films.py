"""Actions recovered from the published weak supervision of six films, with planted features.

    python benchmarks/films.py ../shared/data/movies66 [--dimensions 50]

The bags are as published. True classes are planted: half of each bag's tracks, at least
two, hold its action, all else is background (where bags overlap, the later one wins).
Features are a class mean plus unit noise; the distance of the means is the difficulty.
Baselines: k-means named by the bags, the nearest of the means of each class's bags, and a
random choice, both within the classes of a track's bags.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from sayso.data.datasets.movies66 import Film, read_films
from sayso.metrics.naming import naming
from sayso.solvers import Diffrac, block_frank_wolfe
from sayso.solvers.oracles import Oracle, background, bag


def plant(films: list[Film], draws: np.random.Generator) -> list[np.ndarray]:
    truth = []
    for film in films:
        labels = np.zeros(len(film.frames), dtype=np.int64)
        for one in film.bags:
            if len(one.tracks):
                count = min(len(one.tracks), max(2, len(one.tracks) // 2))
                labels[draws.choice(one.tracks, count, replace=False)] = one.action
        truth.append(labels)
    return truth


def k_means(X: np.ndarray, possible: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    centres = X[draws.choice(len(X), possible.shape[1], replace=False)]
    for _ in range(20):
        near = ((centres**2).sum(1) - 2 * X @ centres.T).argmin(1)
        centres = np.array([X[near == k].mean(0) if (near == k).any() else c for k, c in enumerate(centres)])
    share = np.array(
        [possible[near == k].mean(0) if (near == k).any() else possible.mean(0) for k in range(len(centres))]
    )
    return share[near]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dimensions", type=int, default=50)
    asked = parser.parse_args()
    films, draws = read_films(asked.folder), np.random.default_rng(0)
    K = 1 + max(one.action for film in films for one in film.bags)
    blocks = plant(films, draws)
    truth = np.concatenate(blocks)
    oracles, rows = [], []
    for film in films:
        demands = [bag(one.tracks, one.action, 2, 1e-3) for one in film.bags if len(one.tracks)]
        oracles.append(Oracle(len(film.frames), K, [*demands, background(film.outside(), 0, 0.4)]))
        allowed = np.zeros((len(film.frames), K))
        allowed[:, 0] = 1
        for one in film.bags:
            allowed[one.tracks, one.action] = 1
        rows.append(allowed)
    possible = np.concatenate(rows)
    inside = possible.sum(1) > 1
    print(f"{len(truth)} tracks, {inside.sum()} in bags, {K} classes; accuracy and AP of tracks in bags")
    for distance in (2.0, 4.0, 8.0):
        means = draws.normal(size=(K, asked.dimensions))
        means *= distance / np.sqrt(2) / np.linalg.norm(means, axis=1, keepdims=True)
        X = means[truth] + draws.normal(size=(len(truth), asked.dimensions))
        began = time.perf_counter()
        ends = np.cumsum([len(labels) for labels in blocks])[:-1]
        problem = Diffrac(np.split(X, ends), 1e-4)
        found = block_frank_wolfe(problem, oracles, gap=1e-2, relative=True, passes=100)
        seconds = time.perf_counter() - began
        guess = np.array(
            [X[possible[:, k] > 0].mean(0) if possible[:, k].any() else X.mean(0) for k in range(K)]
        )
        near = -((X[:, None, :] - guess) ** 2).sum(2)
        ways = {
            "ours": found.scores,
            "ours within bags": np.where(possible > 0, found.scores, -10),
            "k-means": k_means(X, possible, draws),
            "nearest mean within bags": np.where(possible > 0, near, -1e6),
            "random within bags": possible * draws.random(possible.shape),
            "background always": np.eye(K)[np.zeros(len(X), dtype=int)],
        }
        print(f"distance {distance}: value {found.value:.3g}, gap {found.gap:.2g}, {seconds:.1f} s")
        for name, scores in ways.items():
            print(
                f"  {name:26}", {k: round(v, 3) for k, v in naming(scores[inside], truth[inside], 0).items()}
            )


if __name__ == "__main__":
    main()
