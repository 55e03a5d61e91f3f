"""Who speaks each line of the subtitles.

A line's words vote for the speakers of the speeches they are paired with. A line
that pairs with nothing, or with a speech that names nobody, is estimated from the
turns around it: a sentence that goes on keeps its speaker, a dash changes it, people
who speak nearby are likelier, and likeliest who speaks the script's words that were paired with
nothing at that place.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sayso.alignment.lines import SpokenLine
from sayso.alignment.matching import Matches
from sayso.alignment.words import ScriptWords, SpokenWords
from sayso.text.screenplay.elements import Element

NEARBY = 8  # lines to each side whose speakers are candidates
FADING = 0.9  # what a line further away counts less
CHANGE, ANSWER = 0.7, 0.8  # probability that the next line is another's: without a cue, and after a question
SURE = 0.95  # probability that a sentence keeps its speaker, and that a dash changes it
# Labels by which transcripts say that the speaker is not known.
NOBODY = frozenset(("", "?", "??", "???", "-", "[]", "n/a", "none", "null", "unidentified"))
ESTIMATED = 0.5  # confidence of a speaker estimated from the turns alone
FASTEST = 4.0  # words of the script for each word that is spoken at its place, at most
BETWEEN = 0.02  # what a speaker without words at the place of a line counts, beside one who has them all


def speak_lines(
    elements: Sequence[Element], script: ScriptWords, spoken: SpokenWords, matches: Matches
) -> list[SpokenLine]:
    """Return every line of the subtitles with its speaker.

    Args:
        elements: of the script.
        script: their words.
        spoken: the words of the subtitles, with their lines.
        matches: the pairs of words that hold.
    """
    votes: list[dict[int, float]] = [defaultdict(float) for _ in spoken.lines]
    paired: dict[int, float] = {}
    for (row, column), trust in zip(matches.pairs.tolist(), matches.trust.tolist(), strict=True):
        if trust > paired.get(column, 0.0):
            votes[spoken.line[column]][int(script.element[row])] += trust - paired.get(column, 0.0)
            paired[column] = trust
    sizes = np.bincount(spoken.line, minlength=len(spoken.lines)).tolist()
    found = [
        _voted(line, size, vote, elements)
        for line, size, vote in zip(spoken.lines, sizes, votes, strict=True)
    ]
    return estimate_turns(found, _between(found, elements, script, spoken, matches))


def _between(
    lines: Sequence[SpokenLine],
    elements: Sequence[Element],
    script: ScriptWords,
    spoken: SpokenWords,
    matches: Matches,
) -> dict[int, dict[str, float]]:
    """Return of each line without a speaker who speaks the script's words at its place, as shares.

    The words between the pairs before and after the line are spread evenly over what is spoken there.
    """
    pairs = matches.pairs[np.argsort(matches.pairs[:, 1], kind="stable")]
    found: dict[int, dict[str, float]] = {}
    for k in [k for k, line in enumerate(lines) if line.speaker is None]:
        first, last = (int(at) for at in np.searchsorted(spoken.line, (k, k + 1)))
        before, after = (int(at) for at in np.searchsorted(pairs[:, 1], (first, last)))
        if first == last or before == 0 or after == len(pairs):
            continue
        (row, column), (next_row, next_column) = pairs[before - 1].tolist(), pairs[after].tolist()
        rate = (next_row - row - 1) / (next_column - column - 1)
        if not 0 < rate <= FASTEST:
            continue
        start = row + 1 + int(rate * (first - column - 1))
        words = range(start, max(start + 1, row + 1 + math.ceil(rate * (last - column - 1))))
        names = Counter(_name(elements[script.element[word]]) for word in words)
        trust = min(1.0, rate) ** 2 / len(words)
        found[k] = {name: count * trust for name, count in names.items() if name is not None}
    return found


def _voted(line: SpokenLine, size: int, votes: dict[int, float], elements: Sequence[Element]) -> SpokenLine:
    """Return the line with the speaker that most of its words vote for."""
    of: dict[str | None, float] = defaultdict(float)
    for number, vote in votes.items():
        of[_name(elements[number])] += vote
    speaker = max(of, key=lambda name: of[name], default=None)
    speeches = {number: vote for number, vote in votes.items() if _name(elements[number]) == speaker}
    element = max(speeches, key=lambda number: speeches[number], default=None)
    confidence = of[speaker] / size if speaker is not None else 0.0
    matched = sum(votes.values()) / size if size else 0.0
    return replace(line, speaker=speaker, confidence=confidence, matched=matched, element=element)


def _name(element: Element) -> str | None:
    """Return who speaks, None where the script does not say."""
    name = element.speaker
    return None if name is None or name.strip().casefold() in NOBODY else name


def estimate_turns(
    lines: Sequence[SpokenLine], between: Mapping[int, Mapping[str, float]] | None = None
) -> list[SpokenLine]:
    """Return the lines with the likeliest speaker where none was found: the best path through each gap.

    Args:
        lines: with a speaker where one was found.
        between: line -> name -> share of the script's words at the place of the line.
    """
    found = list(lines)
    known = [k for k, line in enumerate(lines) if line.speaker is not None]
    edges = [-1, *known, len(lines)]
    for before, after in itertools.pairwise(edges):
        gap = range(before + 1, after)
        if not gap or not known:
            continue
        for k, speaker in zip(gap, _best_turns(lines, gap, between or {}), strict=True):
            found[k] = replace(lines[k], speaker=speaker, confidence=ESTIMATED)
    return found


def _best_turns(
    lines: Sequence[SpokenLine], gap: range, between: Mapping[int, Mapping[str, float]]
) -> list[str]:
    """Return the likeliest speakers of the lines in a gap, by dynamic programming over the turns."""
    near = _speakers_near(lines, gap)
    for name in {name for k in gap for name in between.get(k, ())}:
        near.setdefault(name, FADING**NEARBY)
    names = sorted(near)
    first, last = gap.start - 1, gap.stop
    score = [0.0 if first < 0 or name == lines[first].speaker else -math.inf for name in names]
    if first >= 0 and lines[first].speaker not in near:
        score = [0.0] * len(names)
    back: list[list[int]] = []
    for k in gap:
        change = _change(lines, k) if k else 0.5
        options = [
            [score[i] + _turn(names[i] == name, change, len(names)) for i in range(len(names))]
            for name in names
        ]
        at_place = between.get(k, {})
        back.append([max(range(len(names)), key=row.__getitem__) for row in options])
        score = [
            max(row) + math.log(near[name] * (BETWEEN + at_place.get(name, 0))) + _addressed(lines[k], name)
            for row, name in zip(options, names, strict=True)
        ]
    if last < len(lines):
        change = _change(lines, last)
        score = [
            score[i] + _turn(name == lines[last].speaker, change, len(names)) for i, name in enumerate(names)
        ]
    at = max(range(len(names)), key=score.__getitem__)
    turns = []
    for row in reversed(back):
        turns.append(names[at])
        at = row[at]
    return turns[::-1]


def _speakers_near(lines: Sequence[SpokenLine], gap: range) -> dict[str, float]:
    """Return who speaks around a gap, weighted by nearness."""
    near: dict[str, float] = defaultdict(float)
    sides = (reversed(lines[max(0, gap.start - 200) : gap.start]), lines[gap.stop : gap.stop + 200])
    for side in sides:
        speakers = [line.speaker for line in side if line.speaker is not None][:NEARBY]
        for distance, speaker in enumerate(speakers):
            near[speaker] += FADING**distance
    return near


def _change(lines: Sequence[SpokenLine], k: int) -> float:
    """Return the probability that line ``k`` is another's than the line before."""
    before, line = lines[k - 1].text.rstrip(" \"'”’"), lines[k]
    same_caption = lines[k - 1].caption == line.caption
    if line.begins_turn and (same_caption or _has_dash_after(lines, k)):
        return SURE
    if same_caption or line.text.startswith(("...", "…")) or before.endswith((",", "...", "…", "--")):
        return 1 - SURE
    return ANSWER if before.endswith("?") else CHANGE


def _has_dash_after(lines: Sequence[SpokenLine], k: int) -> bool:
    return k + 1 < len(lines) and lines[k + 1].caption == lines[k].caption and lines[k + 1].begins_turn


def _turn(same: bool, change: float, speakers: int) -> float:
    return math.log(1 - change if same else change / max(speakers - 1, 1))


def _addressed(line: SpokenLine, name: str) -> float:
    """Return less for a person whose name is called in the line."""
    return -2.0 if name.casefold() in line.text.casefold().replace("?", " ").split() else 0.0
