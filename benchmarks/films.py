"""Actions recovered from the published weak supervision of six films, with planted features.

    python benchmarks/films.py ../shared/data/movies66 [--dimensions 50] [--seeds 3]

The bags are as published. True classes are planted in two ways: two tracks of each bag hold its
action, as alpha = 2 says, or half of them (at least two); all else is background, and where bags
overlap the later one wins. Features are a class mean plus unit noise; the distance of the means is
the difficulty. All ways but k-means choose among the classes of a track's bags and background.

    scores            the regression's scores, solved with alpha 2
    calibrated        the regression as a discriminant, with the share of bags found from the tracks
    calibrated twice  solved again with bags that require that share, and calibrated
    nearest mean      of the means of each class's bags, and of all tracks
    k-means           clusters named by the bags
    true labels       a discriminant trained on the true labels, calibrated the same way: what is possible

Each cell is accuracy / AP / mean of class AP over the tracks in bags, averaged over the seeds.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from sayso.data.datasets.movies66 import Film, read_films
from sayso.metrics.naming import naming
from sayso.solvers import Diffrac, quasi_newton
from sayso.solvers.calibration import (
    calibrate,
    candidate_classes,
    estimate_share,
    log_densities,
    raise_bag_counts,
)
from sayso.solvers.constraints import background, bag
from sayso.solvers.linear_oracle import LinearOracle

LAM, KAPPA = 1e-4, 1e-3


def plant(films: list[Film], half: bool, draws: np.random.Generator) -> np.ndarray:
    """Return the classes of all tracks."""
    truth = []
    for film in films:
        labels = np.zeros(len(film.frames), dtype=np.int64)
        for one in film.bags:
            count = min(len(one.tracks), max(2, len(one.tracks) // 2) if half else 2)
            labels[draws.choice(one.tracks, count, replace=False)] = one.action
        truth.append(labels)
    return np.concatenate(truth)


def film_oracle(film: Film, classes: int) -> LinearOracle:
    """Return the oracle of a film's bags, and of the background outside."""
    constraints = [bag(one.tracks, one.action, 2, KAPPA) for one in film.bags if len(one.tracks)]
    return LinearOracle(len(film.frames), classes, [*constraints, background(film.outside(), 0, 0.4)])


def k_means(X: np.ndarray, may: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Return for each track the classes that the bags name for its cluster."""
    centres = X[draws.choice(len(X), may.shape[1], replace=False)]
    for _ in range(20):
        near = ((centres**2).sum(1) - 2 * X @ centres.T).argmin(1)
        centres = np.array([X[near == k].mean(0) if (near == k).any() else c for k, c in enumerate(centres)])
    shares = [may[near == k].mean(0) if (near == k).any() else may.mean(0) for k in range(len(centres))]
    return np.array(shares)[near]


def ways(
    films: list[Film], truth: np.ndarray, means: np.ndarray, draws: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return the scores (N, K) of each way."""
    K = len(means)
    X = means[truth] + draws.normal(size=(len(truth), means.shape[1]))
    problem = Diffrac(np.split(X, np.cumsum([len(film.frames) for film in films])[:-1]), LAM)
    oracles = [film_oracle(film, K) for film in films]
    may = np.concatenate([candidate_classes(oracle) for oracle in oracles])
    may[:, 0] = True
    first = quasi_newton(problem, oracles, tol=1e-2, relative=True)
    once = calibrate(problem, oracles, first)
    more = [raise_bag_counts(oracle, once.share) for oracle in oracles]
    second = quasi_newton(problem, more, tol=1e-2, relative=True)
    assert min(first.converged, second.converged)
    guess = np.array([X[may[:, k]].mean(0) if may[:, k].any() else X.mean(0) for k in range(K)])
    possible, inside = np.eye(K)[np.zeros(len(X), dtype=int)], may[:, 1:].any(1)
    possible[inside] = estimate_share(log_densities(problem, np.eye(K)[truth])[inside], may[inside])[0]
    near = np.where(may, -((X[:, None, :] - guess) ** 2).sum(2) / 2, -np.inf)
    near = np.exp(near - near.max(1, keepdims=True))
    return {
        "scores": np.where(may, first.scores, -10),
        "calibrated": once.probabilities,
        "calibrated twice": calibrate(problem, more, second).probabilities,
        "nearest mean": near / near.sum(1, keepdims=True),
        "k-means": k_means(X, may, draws),
        "random": may * draws.random(may.shape),
        "background always": np.eye(K)[np.zeros(len(X), dtype=int)],
        "true labels": possible,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dimensions", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--distances", type=float, nargs="+", default=[1, 2, 4, 8])
    asked = parser.parse_args()
    films, began = read_films(asked.folder), time.perf_counter()
    K = 1 + max(one.action for film in films for one in film.bags)
    inside = np.concatenate([candidate_classes(film_oracle(film, K)).any(1) for film in films])
    print(f"{len(inside)} tracks, {inside.sum()} in bags, {K} classes; {asked.seeds} seeds")
    for half in (False, True):
        table: dict[str, list[str]] = {}
        for distance in asked.distances:
            found: dict[str, list[list[float]]] = {}
            for seed in range(asked.seeds):
                draws = np.random.default_rng((seed, half))
                truth, means = plant(films, half, draws), draws.normal(size=(K, asked.dimensions))
                means *= distance / np.sqrt(2) / np.linalg.norm(means, axis=1, keepdims=True)
                for name, scores in ways(films, truth, means, draws).items():
                    values = naming(scores[inside], truth[inside], 0).values()
                    found.setdefault(name, []).append(list(values))
            for name, values in found.items():
                cell = " / ".join(f"{value:.3f}" for value in np.mean(values, axis=0))
                table.setdefault(name, []).append(cell)
        print(f"\n{'half' if half else 'two'} of each bag hold its action")
        print("| distance | " + " | ".join(f"{distance:g}" for distance in asked.distances) + " |")
        print("| --- |" + " --: |" * len(asked.distances))
        for name, cells in table.items():
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
