"""Two people who speak at the same time, written side by side: each column in turn.

``ANNA                 BEN`` on one line, and under both what they say; a stretch of
columns that is blank in all rows of the block tells where one ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sayso.text.screenplay.marks import is_name, is_transition, is_upper, parse_cue, parse_heading

APART = re.compile(r"\s{4,}")
LONGEST_ROW = 300
LONGEST_BLOCK = 60


class Column(NamedTuple):
    """One column: the cue and the lines under it, each with the number of its row."""

    cue: tuple[int, str]
    lines: tuple[tuple[int, str], ...]


def side_by_side(rows: Sequence[str], at: int) -> tuple[Column, Column] | None:
    """Return the two columns that begin at a row, if it holds two cues with words under both."""
    names = APART.split(rows[at].strip()) if len(rows[at]) <= LONGEST_ROW else ()
    if len(names) != 2 or (at and rows[at - 1].strip()) or not _both_speak(*names):
        return None
    end = at + 1
    while end < min(len(rows), at + LONGEST_BLOCK) and rows[end].strip():
        end += 1
    low = len(rows[at]) - len(rows[at].lstrip())
    gutter = _gutter(rows[at:end], low, rows[at].rindex(names[1]))
    if gutter is None:
        return None
    left = tuple((k, row) for k in range(at + 1, end) if (row := rows[k][:gutter].strip()))
    right = tuple((k, row) for k in range(at + 1, end) if (row := rows[k][gutter:].strip()))
    if not _are_words(left) or not _are_words(right):
        return None
    return Column((at, names[0]), left), Column((at, names[1]), right)


def _are_words(lines: Sequence[tuple[int, str]]) -> bool:
    """Say whether somebody says these lines: a list of names is no dialogue."""
    return any(not is_upper(words) and any(map(str.isalpha, words)) for _, words in lines)


def _both_speak(left: str, right: str) -> bool:
    """Say whether two pieces of a line name two speakers, one of them at least in capitals."""
    capitals = [parse_cue(name) for name in (left, right)]
    named = all(is_name(name) and any(map(str.isalpha, name)) for name in (left, right))
    return (
        named
        and any(capitals)
        and not parse_heading(left)
        and not is_transition(left)
        and not is_transition(right)
    )


def _gutter(block: Sequence[str], low: int, high: int) -> int | None:
    """Return the middle of the widest stretch from ``low`` to ``high`` that is blank in all rows."""
    blank = [all(row[column : column + 1] in ("", " ") for row in block) for column in range(low, high + 1)]
    best, run = (0, 0), 0
    for k, is_blank in enumerate([*blank, False]):
        run = run + 1 if is_blank else 0
        best = max(best, (run, low + k - run + 1))
    width, start = best
    return start + width // 2 if width >= 2 else None
