"""Names of real face tracks from subtitles, a transcript, lip motion and the tracks' times.

DIR holds the episodes of TV person identification (``sayso.data.datasets.tvperson``). The tracks, their lips
and the subtitles are real; the data has no descriptors. So names are given once without any, and with
descriptors drawn around each true identity (``planted_faces``), three levels of noise, averaged over seeds.
Nothing else of the truth is used: speakers come from aligning the transcript. All tracks count.

Beside: everybody has the name of the most frequent speaker; the face whose lips move in a line is its
speaker (Everingham, Sivic, Zisserman, BMVC 2006); and both together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sayso.alignment import align_script
from sayso.core.arrays import Floats
from sayso.core.progress import Silent
from sayso.data.datasets.tvperson import Episode, readable_episodes
from sayso.evaluation.evaluator import (
    DEFAULTS,
    Count,
    EvaluationOptions,
    EvaluationResult,
    Primary,
    Row,
    mean_row,
)
from sayso.evaluation.planted_faces import LEVELS, equal_error_rate, planted_descriptors
from sayso.metrics.naming import naming_scores, precision_curve, reliability
from sayso.systems.name_actors import cast_of, name_actors, speaking_faces

if TYPE_CHECKING:
    from sayso.core.progress import Progress

COLUMNS = ("accuracy", "AP", "mAP", "precision of half", "ECE", "pairs confused")
SEEDS = 3


@dataclass(frozen=True)
class ActorNaming:
    """Names of face tracks."""

    name = "actor-naming"
    title = "TV person identification, episodes with face tracks"
    measures = "accuracy and average precision of the names of face tracks, with and without descriptors"
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
        """Name the tracks of each episode; see ``Evaluator``."""
        episodes, problems = readable_episodes(data)
        seeds = options.seeds or tuple(range(SEEDS))
        rows: dict[str, Row] = {}
        for number, episode in enumerate(episodes, 1):
            rows |= {f"{episode.name}, {how}": row for how, row in episode_rows(episode, seeds).items()}
            (progress or Silent()).update(number, len(episodes), episode.name)
        mean = mean_row({name: row for name, row in rows.items() if name.endswith("ours, usual")}, COLUMNS)
        tracks = sum(len(episode.tracks) for episode in episodes)
        return EvaluationResult(
            protocol="names of face tracks",
            primary=Primary("accuracy", mean["accuracy"]),
            columns=COLUMNS,
            rows={**rows, "mean, ours, usual": mean},
            counts={
                "episodes": Count(len(episodes), len(episodes) + len(problems)),
                "tracks": Count(tracks, tracks),
            },
            unreadable=problems,
            definition={"seeds": list(seeds), "levels": LEVELS},
        )


ACTOR_NAMING = ActorNaming()


def episode_rows(episode: Episode, seeds: Sequence[int]) -> dict[str, dict[str, float]]:
    """Return a row for each way to name an episode's tracks.

    Args:
        episode: what is known, and the true names.
        seeds: of the drawings of the descriptors of each level, which are averaged.
    """
    lines = align_script(episode.script, episode.captions).lines
    names = cast_of(lines)
    rows = {
        how: name_scores(P, names, episode.names) for how, P in _without_faces(episode, lines, names).items()
    }
    for level, (same, other) in LEVELS.items():
        drawn = []
        for seed in seeds:
            X = planted_descriptors(episode.tracks, episode.names, same, other, seed)
            tracks = [replace(track, descriptor=x) for track, x in zip(episode.tracks, X, strict=True)]
            P = name_actors(tracks, lines, names=names).probabilities
            confused = {"pairs confused": equal_error_rate(X, episode.names)}
            drawn.append(name_scores(P, names, episode.names) | confused)
        rows[f"ours, {level}"] = {key: float(np.mean([one[key] for one in drawn])) for key in drawn[0]}
    return rows


def name_scores(probabilities: Floats, names: Sequence[str], truth: Sequence[str]) -> dict[str, float]:
    """Return accuracy, AP, mean of per-class AP, precision of the surest half, and calibration error.

    Args:
        probabilities: (N, C) of the C - 1 names and, last, of nobody of these.
        names: C - 1.
        truth: of the N tracks; every other name is nobody of these.
    """
    number = {name: k for k, name in enumerate(names)}
    right = np.array([number.get(name, len(names)) for name in truth])
    half = precision_curve(probabilities, right)[1][(len(right) - 1) // 2]
    error = reliability(probabilities, right)["error"]
    return naming_scores(probabilities, right) | {"precision of half": float(half), "ECE": error}


def _without_faces(episode: Episode, lines: Sequence[Any], names: Sequence[str]) -> dict[str, Floats]:
    """Return (N, C) of the simple ways, and of ours where no track has a descriptor."""
    share = np.array([sum(line.speaker == name for line in lines) for name in names], dtype=float)
    most = np.tile(np.append(share, 0) / share.sum(), (len(episode.tracks), 1))
    rule = speaking_faces(episode.tracks, lines, names)
    return {
        "most frequent speaker": most,
        "speaking face alone": rule.probabilities,
        "speaking face, else most frequent": np.where(
            rule.lips.max(1, keepdims=True) > 0.7, rule.probabilities, 0.01 * most
        ),
        "ours, no descriptors": name_actors(episode.tracks, lines, names=names).probabilities,
    }
