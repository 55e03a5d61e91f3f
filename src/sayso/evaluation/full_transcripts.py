"""Who speaks each subtitle line, from a transcript that names the speaker of every speech; beside difflib.

DIR holds the episodes of TV person identification (``sayso.data.datasets.tvperson``). Their transcripts leave
speeches without a name; here every speech has the true one, and successive lines of one person are one
speech, so that nothing but the alignment is measured. The transcript is whole, and spoilt as in
``script_alignment``; which two sixths change places, what is dropped and what is garbled is drawn anew with
each seed. Beside ours stand two common ways: the equal words that difflib, or the longest common subsequence
of rapidfuzz, pairs vote for the speaker of their line, and a line without a vote has that of the line before.
"""

from __future__ import annotations

import difflib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.alignment import align_script
from sayso.alignment.words import script_words, spoken_words
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
from sayso.evaluation.script_alignment import WAYS, spoilt
from sayso.text.screenplay.elements import Element, Screenplay

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.core.types import Caption

Pairs = Iterator[tuple[int, int]]  # a word of the script, a word of the subtitles
SEEDS = 5


@dataclass(frozen=True)
class FullTranscripts:
    """Speakers of subtitle lines where the transcript names everybody."""

    name = "full-transcripts"
    title = "TV person identification, transcripts with a speaker for every speech"
    measures = "accuracy of the speaker of each subtitle line, beside difflib and rapidfuzz"
    needs = ()
    data = "the folder of the episodes (NAME.subtitles.json, NAME.tracks.json, NAME.videvents)"
    takes = ("seeds",)

    def __call__(
        self,
        model: None,  # noqa: ARG002  the alignment itself is measured
        data: Path,
        options: EvaluationOptions = DEFAULTS,
        progress: Progress | None = None,
    ) -> EvaluationResult:
        """Align each transcript, whole and spoilt, with each seed; see ``Evaluator``."""
        episodes, problems = readable_episodes(data)
        seeds = options.seeds or tuple(range(SEEDS))
        rows: dict[str, Row] = {}
        for number, episode in enumerate(episodes, 1):
            rows |= {f"{episode.name}, {way}": transcript_row(episode, way, seeds) for way in WAYS}
            (progress or Silent()).update(number, len(episodes), episode.name)
        columns = tuple(dict.fromkeys(key for row in rows.values() for key in row))
        means = {
            f"mean, {way}": mean_row({k: row for k, row in rows.items() if k.endswith(f", {way}")}, columns)
            for way in WAYS
        }
        lines = sum(len(episode.speakers) for episode in episodes)
        return EvaluationResult(
            protocol="speakers of subtitle lines, full transcripts",
            primary=Primary("ours", means[f"mean, {WAYS[-1]}"]["ours"]),
            columns=columns,
            rows={**rows, **means},
            counts={
                "episodes": Count(len(episodes), len(episodes) + len(problems)),
                "lines": Count(lines, lines),
            },
            unreadable=problems,
            definition={"seeds": list(seeds)},
        )


FULL_TRANSCRIPTS = FullTranscripts()


def transcript_row(episode: Episode, way: str, seeds: Sequence[int]) -> dict[str, Number]:
    """Return the accuracy of each method, averaged over seeds, and the standard deviation of ours.

    Args:
        episode: what is known, and the true speakers.
        way: one of ``WAYS``.
        seeds: of what is spoilt.
    """
    found: dict[str, list[float]] = {}
    for seed in seeds if way != WAYS[0] else seeds[:1]:
        rng = random.Random(seed)  # noqa: S311
        swap = tuple(sorted(rng.sample(range(6), 2)))
        elements = spoilt(full_transcript(episode), way, rng, swap=(swap[0], swap[1]))
        for method, speakers in _methods(elements, episode.captions).items():
            right = [one == who for one, who in zip(speakers, episode.speakers, strict=True)]
            found.setdefault(method, []).append(sum(right) / len(right))
    means: dict[str, Number] = {method: float(np.mean(values)) for method, values in found.items()}
    worst = min(
        own - max(values[n] for method, values in found.items() if method != "ours")
        for n, own in enumerate(found["ours"])
    )
    return means | {"sd of ours": float(np.std(found["ours"])), "least lead": worst}


def full_transcript(episode: Episode) -> list[Element]:
    """Return the speeches of an episode, each with who speaks it."""
    speeches: list[Element] = []
    for element, who in zip(episode.script.elements, episode.speakers, strict=True):
        if speeches and speeches[-1].speaker == who:
            speeches[-1] = replace(speeches[-1], text=f"{speeches[-1].text} {element.text}")
        else:
            speeches.append(replace(element, speaker=who, line=len(speeches) + 1))
    return speeches


def carried_on(
    elements: Sequence[Element],
    captions: Sequence[Caption],
    pair: Callable[[Sequence[str], Sequence[str]], Pairs],
) -> list[str | None]:
    """Return the speaker of each line by the votes of its paired words, else that of the line before.

    Args:
        elements: of the transcript.
        captions: the subtitles.
        pair: gives the pairs of equal words of two texts.
    """
    written, spoken = script_words(elements), spoken_words(captions)
    votes: list[Counter[str | None]] = [Counter() for _ in spoken.lines]
    for row, column in pair(written.words, spoken.words):
        votes[spoken.line[column]][elements[written.element[row]].speaker] += 1
    speakers: list[str | None] = []
    for vote in votes:
        before = speakers[-1] if speakers else None
        speakers.append(vote.most_common(1)[0][0] if vote else before)
    return speakers


def _methods(elements: Sequence[Element], captions: Sequence[Caption]) -> dict[str, list[str | None]]:
    lines = align_script(Screenplay(tuple(elements)), captions).lines
    found = {"ours": [line.speaker for line in lines], "difflib": carried_on(elements, captions, _difflib)}
    if find_spec("rapidfuzz"):
        found["rapidfuzz"] = carried_on(elements, captions, _rapidfuzz)
    return found


def _difflib(script: Sequence[str], spoken: Sequence[str]) -> Pairs:
    for block in difflib.SequenceMatcher(None, script, spoken, autojunk=False).get_matching_blocks():
        yield from ((block.a + k, block.b + k) for k in range(block.size))


def _rapidfuzz(script: Sequence[str], spoken: Sequence[str]) -> Pairs:
    from rapidfuzz.distance import LCSseq

    for block in LCSseq.opcodes(script, spoken):
        if block.tag == "equal":
            size = block.src_end - block.src_start
            yield from ((block.src_start + k, block.dest_start + k) for k in range(size))
