"""Names of face tracks in films with many strangers, and in two episodes at once.

DIR holds the episodes of TV person identification (``sayso.data.datasets.tvperson``). A harder film is one of
them with people taken off the cast until about a share of the tracks is nobody's: their lines lose their
speaker. Which people is drawn with each seed. Two episodes one after the other make one film with the people
of both. Descriptors are drawn around each true identity (``planted_faces``), or there are none. Columns:

    accuracy       of all tracks, a stranger being right as nobody
    best fixed     the best accuracy with a share of strangers that is not estimated but chosen with the truth
    filled rule    the face whose lips move in a line is its speaker; all others the most frequent speaker
    ECE            calibration error
    strangers F1   of finding the tracks of strangers
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.alignment import SpokenLine, align_script
from sayso.core.progress import Silent
from sayso.core.types import Span
from sayso.data.datasets.tvperson import Episode, readable_episodes
from sayso.evaluation.evaluator import (
    DEFAULTS,
    Count,
    EvaluationOptions,
    EvaluationResult,
    Number,
    Primary,
    Row,
    mean_row,
)
from sayso.evaluation.planted_faces import LEVELS, planted_descriptors
from sayso.metrics.naming import reliability
from sayso.people.tracks import Track
from sayso.systems.name_actors import cast_of, name_actors, speaking_faces

if TYPE_CHECKING:
    from sayso.core.progress import Progress

SHARES = (0.05, 0.15, 0.25)
FIXED = (0.02, 0.1, 0.2, 0.3)
COLUMNS = ("accuracy", "low", "high", "best fixed", "filled rule", "ECE", "strangers F1", "strangers")
SEEDS, PAUSE_S = 3, 600.0


@dataclass(frozen=True, eq=False)
class HarderFilm:
    """A film with its truth.

    Attributes:
        tracks: N of them, without descriptors.
        lines: with speakers where they are of the cast.
        names: of the cast, C of them.
        truth: (N,) the true name of each track, C for a stranger.
        people: the true identities, to draw descriptors by.
    """

    tracks: Sequence[Track]
    lines: Sequence[SpokenLine]
    names: Sequence[str]
    truth: NDArray[np.int64]
    people: Sequence[str]


@dataclass(frozen=True)
class HarderFilms:
    """Names of face tracks among strangers.

    Args:
        shares: of the tracks that are strangers', about.
        levels: of the descriptors (``LEVELS``).
    """

    shares: tuple[float, ...] = SHARES
    levels: tuple[str, ...] = ("close", "usual")
    name = "harder-films"
    title = "TV person identification, people taken off the cast, and two episodes as one film"
    measures = "accuracy and calibration of the names of face tracks among strangers"
    needs = ()
    data = "the folder of the episodes (NAME.subtitles.json, NAME.tracks.json, NAME.videvents)"
    takes = ("seeds",)

    def __call__(
        self,
        model: None,  # noqa: ARG002  the system itself is measured
        data: Path,
        options: EvaluationOptions = DEFAULTS,
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Name the tracks of each harder film; see ``Evaluator``."""
        episodes, problems = readable_episodes(data)
        seeds = options.seeds or tuple(range(SEEDS))
        cells = list(self.cells(episodes))
        rows: dict[str, Row] = {}
        for number, (cell, parts, share) in enumerate(cells, 1):
            films = [harder_film(parts, share, seed) for seed in seeds]
            for level in ("none", *self.levels):
                found = [scores_of(film, level, seed) for film, seed in zip(films, seeds, strict=True)]
                rows[f"{cell}, {level}"] = mean_over_seeds(found)
            (progress or Silent()).update(number, len(cells), cell)
        means = {
            f"mean, {level}": mean_row({k: r for k, r in rows.items() if k.endswith(f", {level}")}, COLUMNS)
            for level in ("none", *self.levels)
        }
        return EvaluationResult(
            protocol="names of face tracks among strangers",
            primary=Primary("accuracy", means[f"mean, {self.levels[0]}"]["accuracy"]),
            columns=COLUMNS,
            rows={**rows, **means},
            counts={"episodes": Count(len(episodes), len(episodes) + len(problems))},
            unreadable=problems,
            definition={"seeds": list(seeds), "shares": list(self.shares), "levels": list(self.levels)},
        )

    def cells(self, episodes: Sequence[Episode]) -> Iterator[tuple[str, tuple[Episode, ...], float]]:
        """Yield each film's name, its episodes, and the share of strangers that is asked for."""
        for episode in episodes:
            for share in self.shares:
                yield f"{episode.name}, {share:.0%} strangers", (episode,), share
        for pair in combinations(episodes, 2):
            yield f"{pair[0].name} and {pair[1].name}", pair, 0.0


HARDER_FILMS = HarderFilms()


def harder_film(parts: Sequence[Episode], share: float, seed: int) -> HarderFilm:
    """Return the film of one episode or more, with people taken off the cast.

    Args:
        parts: one after the other.
        share: of the tracks that should be strangers'; somebody is taken off who brings it nearer.
        seed: which people.
    """
    tracks: list[Track] = []
    lines: list[SpokenLine] = []
    people: list[str] = []
    for number, part in enumerate(parts):
        ends = [one.span.end for one in tracks] + [one.span.end for one in lines]
        start = max(ends) + PAUSE_S if ends else 0.0
        tracks += [replace(one, span=_later(one.span, start)) for one in part.tracks]
        spoken = align_script(part.script, part.captions).lines
        lines += [replace(one, span=_later(one.span, start)) for one in spoken]
        people += [f"{number} {who}" if who == "unknown" else who for who in part.names]
    cast = cast_of(lines)
    gone = taken_off(cast, people, share, np.random.default_rng(seed))
    names = [name for name in cast if name not in gone]
    lines = [replace(one, speaker=None) if one.speaker in gone else one for one in lines]
    column = {name: k for k, name in enumerate(names)}
    truth = np.array([column.get(who, len(names)) for who in people])
    return HarderFilm(tracks, lines, names, truth, people)


def taken_off(cast: Sequence[str], people: Sequence[str], share: float, rng: np.random.Generator) -> set[str]:
    """Return who is taken off the cast, so that about a share of the tracks is of strangers.

    Args:
        cast: the names.
        people: (N,) who each track is.
        share: wanted.
        rng: the order in which people are tried.
    """
    count = {name: list(people).count(name) for name in cast}
    missing = share * len(people) - sum(who not in count for who in people)
    gone: set[str] = set()
    for name in rng.permutation(np.array(cast)).tolist():
        if count[name] and abs(missing - count[name]) < missing and len(gone) < len(cast) - 2:
            gone.add(name)
            missing -= count[name]
    return gone


def scores_of(film: HarderFilm, level: str, seed: int) -> dict[str, float]:
    """Return accuracy, calibration and the finding of strangers, beside the simple ways.

    Args:
        film: with its truth.
        level: of the descriptors, a key of ``LEVELS``; ``none``: there are none.
        seed: of the descriptors.
    """
    tracks, C = film.tracks, len(film.names)
    if level != "none":
        X = planted_descriptors(tracks, film.people, *LEVELS[level], seed)
        tracks = [replace(track, descriptor=x) for track, x in zip(tracks, X, strict=True)]
    P = name_actors(tracks, film.lines, names=film.names).probabilities
    found, true = P.argmax(1) == C, film.truth == C
    scores = {
        "accuracy": float((P.argmax(1) == film.truth).mean()),
        "ECE": reliability(P, film.truth)["error"],
        "strangers": float(true.mean()),
    }
    if true.any():
        scores["strangers F1"] = float(2 * (found & true).sum() / max(1, found.sum() + true.sum()))
    if level == "none":
        return scores | {"filled rule": _filled_rule(film)}
    fixed = [name_actors(tracks, film.lines, names=film.names, strangers=share) for share in FIXED]
    right = [float((one.probabilities.argmax(1) == film.truth).mean()) for one in fixed]
    return scores | {"best fixed": max(right)}


def mean_over_seeds(found: Sequence[dict[str, float]]) -> dict[str, Number]:
    """Return the mean of each score over seeds, and the least and greatest accuracy."""
    row: dict[str, Number] = {
        key: float(np.mean([one[key] for one in found if key in one]))
        for key in dict.fromkeys(key for one in found for key in one)
    }
    accuracy = [one["accuracy"] for one in found]
    return row | {"low": min(accuracy), "high": max(accuracy)}


def _filled_rule(film: HarderFilm) -> float:
    rule = speaking_faces(film.tracks, film.lines, film.names)
    share = np.array([sum(line.speaker == name for line in film.lines) for name in film.names])
    named = np.where(rule.lips.max(1) > 0.7, rule.probabilities.argmax(1), share.argmax())
    return float((named == film.truth).mean())


def _later(span: Span, seconds: float) -> Span:
    return Span(span.start + seconds, span.end + seconds)
