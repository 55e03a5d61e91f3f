"""Who speaks each subtitle line of television episodes, from aligning a transcript; whole, and spoilt.

DIR holds the episodes of TV person identification (``sayso.data.datasets.tvperson``). A transcript is also
spoilt: one word in ten garbled, 15 % of the speeches dropped, two sixths swapped, and all of it at once. The
accuracy is over all lines, and over those to which the published alignment gives a speaker; of lines above
a confidence of 0.9 it is counted how many are wrong.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.alignment import align_script
from sayso.core.progress import Silent
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
from sayso.text.screenplay.elements import Element, Screenplay

if TYPE_CHECKING:
    from sayso.core.progress import Progress

WAYS = ("whole", "10 % garbled", "15 % dropped", "swapped", "all three")
NAMED = ("on lines it names", "published there")
COLUMNS = ("accuracy", "published", *NAMED, "above 0.9", "wrong above 0.9")
CONFIDENT = 0.9
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class ScriptAlignment:
    """Speakers of subtitle lines."""

    name = "script-alignment"
    title = "TV person identification, episodes with transcripts"
    measures = "accuracy of the speaker of each subtitle line, transcript whole and spoilt"
    needs = ()
    data = "the folder of the episodes (NAME.subtitles.json, NAME.tracks.json, NAME.videvents)"
    takes = ()

    def __call__(
        self,
        model: None,  # noqa: ARG002  the system itself is measured
        data: Path,
        options: EvaluationOptions = DEFAULTS,  # noqa: ARG002  it takes none
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Align each transcript, whole and spoilt; see ``Evaluator``."""
        episodes, problems = readable_episodes(data)
        rows: dict[str, Row] = {}
        for number, episode in enumerate(episodes, 1):
            for how in WAYS:
                rows[f"{episode.name}, {how}"] = speaker_row(episode, how)
            (progress or Silent()).update(number, len(episodes), episode.name)
        whole = {name: row for name, row in rows.items() if name.endswith(f", {WAYS[0]}")}
        mean = mean_row(whole, COLUMNS[:4])
        lines = sum(len(episode.speakers) for episode in episodes)
        return EvaluationResult(
            protocol="speakers of subtitle lines",
            primary=Primary("accuracy", mean["accuracy"]),
            columns=COLUMNS,
            rows={**rows, f"mean, {WAYS[0]}": mean},
            counts={
                "episodes": Count(len(episodes), len(episodes) + len(problems)),
                "lines": Count(lines, lines),
            },
            unreadable=problems,
            definition={"confident above": CONFIDENT, "seed": 0},
        )


SCRIPT_ALIGNMENT = ScriptAlignment()


def speaker_row(episode: Episode, how: str) -> dict[str, Number]:
    """Return the accuracy of an episode's speakers, the published one, and the wrong confident lines."""
    script = Screenplay(tuple(spoilt(episode.script.elements, how, random.Random(0))))  # noqa: S311
    lines = align_script(script, episode.captions).lines
    right = [line.speaker == who for line, who in zip(lines, episode.speakers, strict=True)]
    confident = [ok for ok, line in zip(right, lines, strict=True) if line.confidence > CONFIDENT]
    given = [a == b for a, b in zip(episode.speakers, episode.published, strict=True)]
    named = [n for n, who in enumerate(episode.published) if who is not None]
    return {
        "accuracy": sum(right) / len(right),
        "published": sum(given) / len(given),
        NAMED[0]: sum(right[n] for n in named) / max(1, len(named)),
        NAMED[1]: sum(given[n] for n in named) / max(1, len(named)),
        "above 0.9": len(confident),
        "wrong above 0.9": len(confident) - sum(confident),
    }


def spoilt(
    elements: Sequence[Element], how: str, rng: random.Random, swap: tuple[int, int] = (1, 3)
) -> list[Element]:
    """Return a transcript with two sixths swapped, speeches dropped or words garbled.

    Args:
        elements: the transcript.
        how: one of ``WAYS``.
        rng: what is dropped and garbled.
        swap: the two sixths.
    """
    found = list(elements)
    if how in {"swapped", "all three"}:
        cuts = [found[k * len(found) // 6 : (k + 1) * len(found) // 6] for k in range(6)]
        cuts[swap[0]], cuts[swap[1]] = cuts[swap[1]], cuts[swap[0]]
        found = [element for cut in cuts for element in cut]
    if how in {"15 % dropped", "all three"}:
        found = [element for element in found if rng.random() > 0.15]
    if how in {"10 % garbled", "all three"}:
        found = [replace(element, text=_garbled(element.text, rng)) for element in found]
    return found


def _garbled(text: str, rng: random.Random) -> str:
    words = text.split()
    return " ".join(
        "".join(rng.choices(_LETTERS, k=len(word))) if rng.random() < 0.1 else word for word in words
    )
