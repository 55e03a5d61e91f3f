"""Actions of film tracks recovered from the published weak supervision of films, with planted features.

DIR holds the tracks and bags of the films of Miech et al., ICCV 2017 (``sayso.data.datasets.movies66``).
The bags are as published. True classes are planted in two ways: two tracks of each bag hold its
action, as alpha = 2 says, or a share of them, half unless said (at least two); all else is background,
and where bags overlap the later one wins. Features are a class mean plus unit noise; the distance of the
means is the difficulty. All ways but k-means choose among the classes of a track's bags and background.

    scores            the regression's scores, solved with alpha 2
    calibrated        the regression as a discriminant, with the share of bags found from the tracks
    calibrated twice  solved again with bags that require that share, and calibrated
    sampled           bags read whole by sampling, their share chosen by bags kept aside: the default
    nearest mean      of the means of each class's bags, and of all tracks
    mixture           Gaussians by EM, a track of each bag at least its action's; and two of each bag at least
    k-means           clusters named by the bags
    true labels       a discriminant trained on the true labels, calibrated the same way: what is possible

Accuracy, AP and the mean of class AP are over the tracks in bags, averaged over the seeds. Beside them
stands by how much "sampled" leads the best of its rivals (scores, nearest mean, the mixtures), another
one for each number, and the standard error of that over the seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.core.arrays import Floats
from sayso.core.progress import Silent
from sayso.data.datasets.movies66 import Film, read_films
from sayso.evaluation.bag_mixture import bag_mixture
from sayso.evaluation.evaluator import DEFAULTS, Count, EvaluationOptions, EvaluationResult, Primary, Row
from sayso.evaluation.k_means import lloyd
from sayso.metrics.naming import naming_scores
from sayso.solvers import Diffrac, quasi_newton
from sayso.solvers.bag_layers import BagLayers, RowBag
from sayso.solvers.bag_reading import read_bags
from sayso.solvers.calibration import (
    calibrate,
    candidate_classes,
    estimate_share,
    log_densities,
    raise_bag_counts,
)
from sayso.solvers.constraints import background, bag
from sayso.solvers.linear_oracle import LinearOracle

if TYPE_CHECKING:
    from sayso.core.progress import Progress

LAM, KAPPA, BACKGROUND, SEEDS = 1e-4, 1e-3, 0.4, 3
COLUMNS = ("accuracy", "AP", "mAP")
RIVALS = ("scores", "nearest mean", "mixture", "mixture, two a bag")
PLANTED = {0.0: "two of each bag", 0.5: "half of each bag"}


@dataclass(frozen=True)
class FilmActions:
    """Actions of the tracks in bags.

    Args:
        distances: of the class means, in standard deviations of the noise.
        dimensions: D, of the features.
        shares: of each bag that hold its action, two tracks at least.
    """

    distances: tuple[float, ...] = (1, 2, 4, 8)
    dimensions: int = 50
    shares: tuple[float, ...] = tuple(PLANTED)
    name = "film-actions"
    title = "bags of the films of Miech et al., planted features"
    measures = "accuracy and average precision of actions named by bags of tracks"
    needs = ()
    data = "the folder of the films' weak supervision (movie*.json)"
    takes = ("seeds",)

    def __call__(
        self,
        model: None,  # noqa: ARG002  the solver itself is measured
        data: Path,
        options: EvaluationOptions = DEFAULTS,
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Recover planted actions; see ``Evaluator``."""
        films, seeds = read_films(data), options.seeds or tuple(range(SEEDS))
        rows: dict[str, Row] = {}
        cells = [(share, distance) for share in self.shares for distance in self.distances]
        for number, (share, distance) in enumerate(cells):
            found: list[dict[str, Row]] = []
            for seed in seeds:
                found.append(self.scores(films, share, distance, seed))
                (progress or Silent()).update(number * len(seeds) + len(found), len(cells) * len(seeds))
            rows |= {f"{_named(share)}, {distance:g}: {way}": row for way, row in _summary(found).items()}
        inside = bagged(films)
        share, distance = cells[-1]
        return EvaluationResult(
            protocol="actions of film tracks, planted features",
            primary=Primary("AP", rows[f"{_named(share)}, {distance:g}: sampled"]["AP"]),
            columns=COLUMNS,
            rows=rows,
            counts={"tracks in bags": Count(int(inside.sum()), len(inside))},
            definition={
                "distances": list(self.distances),
                "dimensions": self.dimensions,
                "shares": list(self.shares),
                "seeds": list(seeds),
            },
        )

    def scores(self, films: list[Film], share: float, distance: float, seed: int) -> dict[str, Row]:
        """Return of each way the accuracy, AP and mAP.

        Args:
            films: their tracks and bags.
            share: of each bag that holds its action, two tracks at least.
            distance: of the class means.
            seed: of classes, means and noise.
        """
        K, inside = classes_of(films), bagged(films)
        rng = np.random.default_rng((seed, share > 0))
        truth, means = planted_classes(films, share, rng), rng.normal(size=(K, self.dimensions))
        means *= distance / np.sqrt(2) / np.linalg.norm(means, axis=1, keepdims=True)
        found = ways(films, truth, means, rng)
        return {way: naming_scores(scores[inside], truth[inside], 0) for way, scores in found.items()}


FILM_ACTIONS = FilmActions()


def classes_of(films: list[Film]) -> int:
    """Return the number of classes, the background included."""
    return 1 + max(one.action for film in films for one in film.bags)


def bagged(films: list[Film]) -> NDArray[np.bool_]:
    """Return (N,) which tracks lie in a bag of an action, film after film."""
    K = classes_of(films)
    return np.concatenate([candidate_classes(film_oracle(film, K)).any(1) for film in films])


def planted_classes(films: list[Film], share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the true classes (N,) of all tracks: so many of each bag hold its action.

    Args:
        films: their bags.
        share: of each bag, and two tracks at least.
        rng: which of them.
    """
    truth = []
    for film in films:
        labels = np.zeros(len(film.frames), dtype=np.int64)
        for one in film.bags:
            count = min(len(one.tracks), max(2, int(share * len(one.tracks))))
            labels[rng.choice(one.tracks, count, replace=False)] = one.action
        truth.append(labels)
    return np.concatenate(truth)


def film_oracle(film: Film, classes: int) -> LinearOracle:
    """Return the constraints of a film: its bags, and the background outside."""
    constraints = [bag(one.tracks, one.action, 2, KAPPA) for one in film.bags if len(one.tracks)]
    return LinearOracle(len(film.frames), classes, [*constraints, background(film.outside(), 0, BACKGROUND)])


def ways(
    films: list[Film], truth: NDArray[np.int64], means: Floats, rng: np.random.Generator
) -> dict[str, Floats]:
    """Return the scores (N, K) of each way.

    Args:
        films: their tracks and bags.
        truth: (N,) the planted classes.
        means: (K, D) of the features of each class.
        rng: the noise.
    """
    K = len(means)
    X = means[truth] + rng.normal(size=(len(truth), means.shape[1]))
    problem = Diffrac(np.split(X, np.cumsum([len(film.frames) for film in films])[:-1]), LAM)
    oracles = [film_oracle(film, K) for film in films]
    may = np.concatenate([candidate_classes(oracle) for oracle in oracles])
    inside = may.any(1)
    may[:, 0] = True
    first = quasi_newton(problem, oracles, tol=1e-2, relative=True)
    once = calibrate(problem, oracles, first)
    more = [raise_bag_counts(oracle, once.share) for oracle in oracles]
    second = quasi_newton(problem, more, tol=1e-2, relative=True)
    layers = BagLayers(_row_bags(films))
    nothing = np.eye(K)[np.zeros(len(X), dtype=int)]
    possible = nothing.copy()
    possible[inside] = estimate_share(log_densities(problem, np.eye(K)[truth])[inside], may[inside])[0]
    return {
        "scores": np.where(may, first.scores, -10),
        "calibrated": once.probabilities,
        "calibrated twice": calibrate(problem, more, second).probabilities,
        "sampled": read_bags(problem, oracles, first).probabilities,
        "nearest mean": _nearest_mean(X, may),
        "mixture": bag_mixture(X, layers, may),
        "mixture, two a bag": bag_mixture(X, layers, may, 2),
        "k-means": _named_clusters(X, may, rng),
        "random": may * rng.random(may.shape),
        "background always": nothing,
        "true labels": possible,
    }


def _named(share: float) -> str:
    return PLANTED.get(share, f"{share:g} of each bag")


def _summary(seeds: Sequence[dict[str, Row]]) -> dict[str, Row]:
    """Return the mean of each way over the seeds, and the lead of "sampled" with its standard error."""
    values = np.array([[[row[key] for key in COLUMNS] for row in one.values()] for one in seeds], dtype=float)
    ways, means = list(seeds[0]), values.mean(0)
    rivals = [ways.index(way) for way in RIVALS]
    best = np.array(rivals)[means[rivals].argmax(0)]
    leads = values[:, ways.index("sampled")] - values[:, best, np.arange(len(COLUMNS))]
    rows = dict(zip(ways, means, strict=True)) | {"sampled leads by": leads.mean(0)}
    if len(seeds) > 1:
        rows["standard error of it"] = leads.std(0, ddof=1) / np.sqrt(len(seeds))
    return {way: dict(zip(COLUMNS, row.tolist(), strict=True)) for way, row in rows.items()}


def _row_bags(films: list[Film]) -> list[RowBag]:
    """Return the bags, with rows over all films."""
    starts = np.cumsum([0, *(len(film.frames) for film in films)])
    return [
        RowBag(np.unique(one.tracks) + start, one.action)
        for start, film in zip(starts[:-1], films, strict=True)
        for one in film.bags
        if len(one.tracks)
    ]


def _nearest_mean(X: Floats, may: NDArray[np.bool_]) -> Floats:
    """Return how near each track is to the mean of each class's bags, among the classes that it may have."""
    guess = np.array([X[own].mean(0) if own.any() else X.mean(0) for own in may.T])
    near = np.where(may, -((X[:, None, :] - guess) ** 2).sum(2) / 2, -np.inf)
    near = np.exp(near - near.max(1, keepdims=True))
    probabilities: Floats = near / near.sum(1, keepdims=True)
    return probabilities


def _named_clusters(X: Floats, may: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Return for each track the share of each class in what the bags allow its cluster."""
    start = X[rng.choice(len(X), may.shape[1], replace=False)]
    near, centres, _ = lloyd(X, start, 20)
    shares = [may[near == k].mean(0) if (near == k).any() else may.mean(0) for k in range(len(centres))]
    return np.array(shares)[near]
