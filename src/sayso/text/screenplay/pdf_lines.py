"""Pieces of text at their places on pages -> lines with indents, as the paper has them.

Scanned pages are never straight: a line's words lie a little higher or lower, a column's lines a little to
the left or right, and a page, or every second one for the sake of a binding, as a whole. Words that
stand in bold are often drawn twice. So pieces are gathered into lines by a share of the
letters' height, columns are those of the whole document, and what is drawn twice counts once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

SAME_LINE = 0.4  # of the letters' height: pieces of one line lie no further apart
BESIDE = 0.75  # nor those that stand beside each other, such as marks in the margin
TWICE = 0.2  # of the letters' height, between the two places where bold words are drawn
UNEVEN = 0.15  # of a line's height: what lines may be too near to each other
COLUMN_PT = 2.0  # lines of a column begin at most so far from its middle
SHIFT_PT = 30.0  # a page's largest shift
FEW = 0.5  # a page is shifted if at most this share of its lines begins where others do, and most do then


@dataclass(frozen=True, slots=True)
class TextRun:
    """Words at a place; in points, x from the left edge of the paper, y downwards.

    Args:
        x: where they begin.
        end: where they end.
        y: of their base line, from anywhere.
        height: of the letters.
        text: the words.
    """

    x: float
    end: float
    y: float
    height: float
    text: str


Line = list[TextRun]


def page_lines(pieces: Sequence[TextRun]) -> list[Line]:
    """Return the lines of a page from top to bottom, each from left to right."""
    lines: list[Line] = []
    for piece in sorted(_once(pieces), key=lambda piece: piece.y):
        if lines:
            above = lines[-1]
            height, apart = min(piece.height, above[0].height), piece.y - fmean(one.y for one in above)
            beside = all(piece.end <= one.x or one.end <= piece.x for one in above)
            if apart < SAME_LINE * height or (apart < BESIDE * height and beside):
                above.append(piece)
                continue
        lines.append([piece])
    return [sorted(line, key=lambda piece: piece.x) for line in lines]


def _once(pieces: Sequence[TextRun]) -> list[TextRun]:
    """Leave out what is drawn a second time at nearly the same place."""
    seen: dict[str, list[TextRun]] = {}
    kept = []
    for piece in pieces:
        near = TWICE * piece.height
        others = seen.setdefault(piece.text.strip(), [])
        if not any(abs(piece.x - one.x) < near and abs(piece.y - one.y) < near for one in others):
            others.append(piece)
            kept.append(piece)
    return kept


def straightened(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """Return the lines of all pages with the columns of the document: pages shifted back, edges in line."""
    starts = [sorted(line[0].x for line in lines) for lines in pages]
    shifts = [_shift(starts, number) for number in range(len(pages))]
    moved = [[_moved(line, by) for line in lines] for lines, by in zip(pages, shifts, strict=True)]
    edges = sorted(line[0].x for lines in moved for line in lines)
    return [[_moved(line, _column(line[0].x, edges) - line[0].x) for line in lines] for lines in moved]


def _shift(starts: Sequence[Sequence[float]], number: int) -> float:
    """Return by how much a page is moved so that its lines begin where those of other pages do.

    The longest page stays where it is.
    """
    longest = max(range(len(starts)), key=lambda n: len(starts[n]))
    edges, own = starts[longest], starts[number]
    least = len(own) * (1 - FEW)
    if _at_edges(own, edges, 0.0) > least:
        return 0.0
    tried = {round(edge - x, 1) for x in set(own[:: max(1, len(own) // 20)]) for edge in set(edges)}
    best = max(
        (by for by in tried if abs(by) <= SHIFT_PT), key=lambda by: _at_edges(own, edges, by), default=0.0
    )
    return best if _at_edges(own, edges, best) > least else 0.0


def _at_edges(own: Sequence[float], edges: Sequence[float], by: float) -> int:
    return sum(bisect_right(edges, x + by + COLUMN_PT) > bisect_left(edges, x + by - COLUMN_PT) for x in own)


def _column(x: float, edges: Sequence[float]) -> float:
    """Return the middle of the edges around one."""
    near = edges[bisect_left(edges, x - COLUMN_PT) : bisect_right(edges, x + COLUMN_PT)]
    return near[len(near) // 2]


def _moved(line: Line, by: float) -> Line:
    return [replace(piece, x=piece.x + by, end=piece.end + by) for piece in line] if by else line


def typed(lines: Sequence[Line], width: float) -> list[str]:
    """Return lines as text whose indents, gaps and blank lines are those of the page.

    Args:
        lines: of a page.
        width: of a letter, points.
    """
    rows: list[str] = []
    above = None
    for line in lines:
        if above is not None and line[0].height:
            rows += [""] * (int((line[0].y - above) / line[0].height + UNEVEN) - 1)
        above = line[0].y
        row, end = "", 0.0
        for piece in line:
            if piece.x > end + 0.5:
                row += " " * (int(piece.x // width) - len(row))
            row, end = row + piece.text, piece.end
        rows.append(row.rstrip())
    return rows
