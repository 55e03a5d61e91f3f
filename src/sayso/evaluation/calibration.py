"""How true the stated confidences are: of the speakers of subtitle lines, and of the names of face tracks.

DIR holds the episodes of TV person identification (``sayso.data.datasets.tvperson``). Of all answers
that are said to be right with about the same confidence, how many are? The answers of all episodes
are taken together: the speaker of each subtitle line from aligning the transcript, and the name of each
face track, without descriptors and with drawn ones (``planted_faces``, usual distances).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
from sayso.evaluation.planted_faces import LEVELS, planted_descriptors
from sayso.metrics import calibration as measure
from sayso.metrics.naming import most_likely
from sayso.systems.name_actors import cast_of, name_actors

if TYPE_CHECKING:
    from sayso.core.progress import Progress

JudgedAnswers = tuple[Floats, NDArray[np.bool_]]  # confidences, and whether each is right, (N,) each
COLUMNS = ("answers", "confidence", "accuracy", "ECE", "Brier")
SUMMARIES = ("ECE", "Brier")


@dataclass(frozen=True)
class ConfidenceCalibration:
    """Reliability of stated confidences.

    Args:
        bins: of equal width over confidences from 0 to 1.
    """

    bins: int = 10
    name = "calibration"
    title = "TV person identification, speakers of lines and names of tracks"
    measures = "how true stated confidences are: reliability bins, expected calibration error, Brier score"
    needs = ()
    data = "the folder of the episodes (NAME.subtitles.json, NAME.tracks.json, NAME.videvents)"
    takes = ()

    def __call__(
        self,
        model: None,  # noqa: ARG002  the systems themselves are measured
        data: Path,
        options: EvaluationOptions = DEFAULTS,  # noqa: ARG002  it takes none
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Compare confidences with how often they are right; see ``Evaluator``."""
        episodes, problems = readable_episodes(data)
        answers: dict[str, list[JudgedAnswers]] = {}
        for number, episode in enumerate(episodes, 1):
            for what, found in episode_answers(episode).items():
                answers.setdefault(what, []).append(found)
            (progress or Silent()).update(number, len(episodes), episode.name)
        rows: dict[str, Row] = {}
        for what, parts in answers.items():
            confidence, right = (np.concatenate(column) for column in zip(*parts, strict=True))
            rows |= reliability_rows(what, confidence, right, self.bins)
        mean = mean_row({what: rows[what] for what in answers}, SUMMARIES)
        return EvaluationResult(
            protocol="calibration of confidences",
            primary=Primary("ECE", mean["ECE"], greater_is_better=False),
            columns=COLUMNS,
            rows={**rows, "mean": mean},
            counts={"episodes": Count(len(episodes), len(episodes) + len(problems))},
            unreadable=problems,
            definition={"bins": self.bins, "level": "usual", "seed": 0},
        )


CALIBRATION = ConfidenceCalibration()


def episode_answers(episode: Episode) -> dict[str, JudgedAnswers]:
    """Return the confidences of the answers of each system on an episode, and whether they are right."""
    lines = align_script(episode.script, episode.captions).lines
    names = cast_of(lines)
    number = {name: k for k, name in enumerate(names)}
    truth = np.array([number.get(name, len(names)) for name in episode.names])
    X = planted_descriptors(episode.tracks, episode.names, *LEVELS["usual"], seed=0)
    described = [replace(track, descriptor=x) for track, x in zip(episode.tracks, X, strict=True)]
    speakers = [line.speaker == who for line, who in zip(lines, episode.speakers, strict=True)]
    return {
        "speakers": (np.array([line.confidence for line in lines]), np.array(speakers)),
        "names": most_likely(name_actors(episode.tracks, lines, names=names).probabilities, truth),
        "names, faces": most_likely(name_actors(described, lines, names=names).probabilities, truth),
    }


def reliability_rows(what: str, confidence: Floats, right: NDArray[np.bool_], bins: int) -> dict[str, Row]:
    """Return a row of all answers, and one of each bin that has any.

    Args:
        what: what the answers are, to call the rows by.
        confidence: (N,) confidences.
        right: (N,).
        bins: how many.
    """
    found = measure.calibration(confidence, right, bins=bins)
    rows: dict[str, Row] = {
        what: {
            "answers": len(confidence),
            "confidence": found.confidence,
            "accuracy": found.accuracy,
            "ECE": found.error,
            "Brier": found.brier,
        }
    }
    for own in found.bins:
        if own.count:
            rows[f"{what}, {own.low:.1f} to {own.high:.1f}"] = {
                "answers": own.count,
                "confidence": own.confidence,
                "accuracy": own.accuracy,
            }
    return rows
