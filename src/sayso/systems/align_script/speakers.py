"""Who speaks each line of the subtitles.

A line's words vote for the speakers of the speeches they are paired with. A line
that pairs with nothing, or with a speech that names nobody, is estimated from the
turns around it: a sentence that goes on keeps its speaker, a dash changes it, and
people who speak nearby are likelier.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sayso.core.types import Span
from sayso.systems.align_script.matching import Matches
from sayso.systems.align_script.words import Part, ScriptWords, SpokenWords
from sayso.text.screenplay.elements import Element

NEARBY = 8  # lines to each side whose speakers are candidates
FADING = 0.9  # what a line further away counts less
CHANGE, ANSWER = 0.7, 0.8  # chance that the next line is another's, where nothing tells and after a question
SURE = 0.95  # chance that a sentence keeps its speaker, and that a dash changes it
# Labels by which transcripts say that the speaker is not known.
NOBODY = frozenset(("", "?", "??", "???", "-", "[]", "ignore", "n/a", "none", "null", "unidentified"))
ESTIMATED = 0.5  # confidence of a speaker told by the turns alone


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a subtitle: what is said, when, by whom, and how sure that is (0 to 1).

    ``matched`` is the share of its words found in the script; 0 for improvised lines.
    ``element`` is the number of the script's element that it comes from.
    """

    text: str
    span: Span
    caption: int
    speaker: str | None
    confidence: float
    matched: float
    element: int | None

    def to_dict(self) -> dict[str, object]:
        """Return the fields, ready for JSON; ``element`` counts the script's elements from 0."""
        return {
            "text": self.text,
            "speaker": self.speaker,
            "start_s": round(self.span.start, 3),
            "end_s": round(self.span.end, 3),
            "confidence": round(self.confidence, 3),
            "matched": round(self.matched, 3),
            "element": self.element,
        }


def speak_lines(
    elements: Sequence[Element], script: ScriptWords, spoken: SpokenWords, matches: Matches
) -> list[Line]:
    """Return every line with its speaker."""
    votes: list[dict[int, float]] = [defaultdict(float) for _ in spoken.parts]
    paired: dict[int, float] = {}
    for (row, column), trust in zip(matches.pairs.tolist(), matches.trust.tolist(), strict=True):
        if trust > paired.get(column, 0.0):
            votes[spoken.part[column]][int(script.element[row])] += trust - paired.get(column, 0.0)
            paired[column] = trust
    sizes = np.bincount(spoken.part, minlength=len(spoken.parts)).tolist()
    lines = [
        _line(part, size, vote, elements) for part, size, vote in zip(spoken.parts, sizes, votes, strict=True)
    ]
    return estimate_turns(lines, spoken.parts)


def _line(part: Part, size: int, votes: dict[int, float], elements: Sequence[Element]) -> Line:
    """Return the line with the speaker that most of its words vote for."""
    of: dict[str | None, float] = defaultdict(float)
    for element, vote in votes.items():
        of[_name(elements[element])] += vote
    speaker = max(of, key=lambda name: of[name], default=None)
    said_by = {element: vote for element, vote in votes.items() if _name(elements[element]) == speaker}
    said = max(said_by, key=lambda number: said_by[number], default=None)
    confidence = of[speaker] / size if speaker is not None else 0.0
    matched = sum(votes.values()) / size if size else 0.0
    return Line(part.text.strip(), part.span, part.caption, speaker, confidence, matched, said)


def _name(element: Element) -> str | None:
    """Return who speaks, None where the script does not say."""
    name = element.speaker
    return None if name is None or name.strip().casefold() in NOBODY else name


def estimate_turns(lines: Sequence[Line], parts: Sequence[Part]) -> list[Line]:
    """Return the lines with the likeliest speaker where none was found: the best path through each gap."""
    found = list(lines)
    known = [k for k, line in enumerate(lines) if line.speaker is not None]
    edges = [-1, *known, len(lines)]
    for before, after in itertools.pairwise(edges):
        gap = range(before + 1, after)
        if not gap or not known:
            continue
        for k, speaker in zip(gap, _best_turns(lines, parts, gap), strict=True):
            line = lines[k]
            found[k] = Line(
                line.text, line.span, line.caption, speaker, ESTIMATED, line.matched, line.element
            )
    return found


def _best_turns(lines: Sequence[Line], parts: Sequence[Part], gap: range) -> list[str]:
    """Return the likeliest speakers of the lines in a gap, by dynamic programming over the turns."""
    near = _speakers_near(lines, gap)
    names = sorted(near)
    first, last = gap.start - 1, gap.stop
    score = [0.0 if first < 0 or name == lines[first].speaker else -math.inf for name in names]
    if first >= 0 and lines[first].speaker not in near:
        score = [0.0] * len(names)
    back: list[list[int]] = []
    for k in gap:
        change = _change(parts, k) if k else 0.5
        options = [
            [score[i] + _turn(names[i] == name, change, len(names)) for i in range(len(names))]
            for name in names
        ]
        back.append([max(range(len(names)), key=row.__getitem__) for row in options])
        score = [
            max(row) + math.log(near[name]) + _addressed(lines[k], name)
            for row, name in zip(options, names, strict=True)
        ]
    if last < len(lines):
        change = _change(parts, last)
        score = [
            score[i] + _turn(name == lines[last].speaker, change, len(names)) for i, name in enumerate(names)
        ]
    at = max(range(len(names)), key=score.__getitem__)
    turns = []
    for row in reversed(back):
        turns.append(names[at])
        at = row[at]
    return turns[::-1]


def _speakers_near(lines: Sequence[Line], gap: range) -> dict[str, float]:
    """Return who speaks around a gap, weighted by nearness."""
    near: dict[str, float] = defaultdict(float)
    sides = (reversed(lines[max(0, gap.start - 200) : gap.start]), lines[gap.stop : gap.stop + 200])
    for side in sides:
        speakers = [line.speaker for line in side if line.speaker is not None][:NEARBY]
        for distance, speaker in enumerate(speakers):
            near[speaker] += FADING**distance
    return near


def _change(parts: Sequence[Part], k: int) -> float:
    """Return the chance that line ``k`` is another's than the line before."""
    before, part = parts[k - 1].text.rstrip(" \"'”’"), parts[k]
    same_caption = parts[k - 1].caption == part.caption
    if part.begins_turn and (same_caption or _has_dash_after(parts, k)):
        return SURE
    if (
        same_caption
        or part.text.lstrip().startswith(("...", "…"))
        or before.endswith((",", "...", "…", "--"))
    ):
        return 1 - SURE
    return ANSWER if before.endswith("?") else CHANGE


def _has_dash_after(parts: Sequence[Part], k: int) -> bool:
    return k + 1 < len(parts) and parts[k + 1].caption == parts[k].caption and parts[k + 1].begins_turn


def _turn(same: bool, change: float, speakers: int) -> float:
    return math.log(1 - change if same else change / max(speakers - 1, 1))


def _addressed(line: Line, name: str) -> float:
    """Return less for a person whose name is called in the line."""
    return -2.0 if name.casefold() in line.text.casefold().replace("?", " ").split() else 0.0
