"""The lines of a screenplay, without what belongs to the paper: page numbers, headers, revision marks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

from sayso.text.screenplay.columns import Column, side_by_side
from sayso.text.screenplay.html_text import html_lines, looks_like_html
from sayso.text.screenplay.marks import parse_cue, parse_heading
from sayso.text.screenplay.wording import word_pattern

PAGE = re.compile(r"(?i)(?:page\s+)?\(?\d{1,3}[a-z]?[.)]?(?:\s*(?:of|/)\s*\d{1,3})?|-\s*\d{1,3}\s*-")
CONTINUED = re.compile(
    r"(?i)(?:\d+[a-z]?\s+)?(?:\(\s*(?:cont(?:inued|'d|’d)?|more)\.*\s*\)|continued|cont'd|more)"
    r"\s*:?\s*(?:\(\d+\))?(?:\s+\d+[a-z]?)?"
)
AGAIN_ALONE = re.compile(rf"(?i)\(\s*(?:{word_pattern('again')})\.*\s*\)")
REVISION = re.compile(r"(?:\s{2,}|^\s*)[*|]+\s*$")
REVISION_LEFT = re.compile(r"^(\s*)[*|]+(?=\s{3,}\S)")
EMPHASIS = re.compile(r"(\*{1,3}|_)(?=\S)(.+)(?<=\S)\1")
CLOCK = re.compile(r"[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?[\])]?[ \t]+(?=[^\W\d])")
LONGEST_EMPHASIS = 5000
HEADER_TIMES = 3  # a line with a page number that is there on three pages is a header
NUMBERED_PAGE = re.compile(r"\s{4,}\d{1,3}\.$")
TAB = 8
WIDEST = 200
"""Blanks that may stand on end in a row, columns."""

BLANKS = re.compile(rf"\s{{{WIDEST},}}")


class ScriptLine(NamedTuple):
    """A line of a screenplay.

    Args:
        text: without outer spaces.
        indent: columns.
        number: of the line in the file, from 1.
        blanks: how many blank lines stand before it.
        soft: whether those hold two spaces, by which Fountain goes on with a speech.
        bold: whether a web page shows it in bold.
        role: ``cue`` or ``speech`` where columns side by side say so.
        dual: whether it stands in the right one of two columns.
    """

    text: str
    indent: int
    number: int
    blanks: int
    soft: bool = False
    bold: bool = False
    role: Literal["", "cue", "speech"] = ""
    dual: bool = False


def read_lines(text: str) -> list[ScriptLine]:
    """Return the lines with text; double spacing is undone in the count of blank lines."""
    text, bold = html_lines(text) if looks_like_html(text) else (text, frozenset())
    given = _clean(text).split("\n")
    rows = [_without_marks(_narrow(row.expandtabs(TAB).rstrip())) for row in given]
    headers, soft_rows = _headers(rows), _soft_rows(given)
    lines: list[ScriptLine] = []
    blanks, soft, after = 1, False, 0
    for k, row in enumerate(rows):
        words = _plain(row)
        if k < after:
            continue
        if not words:
            soft = k in soft_rows and (soft or not blanks)
            blanks += 1
        elif columns := side_by_side(rows, k):
            lines.extend(_in_turn(columns, blanks))
            after, blanks = 1 + max(number for column in columns for number, _ in column.lines), 0
        elif not (words in headers or _belongs_to_the_paper(words)):
            indent = len(row) - len(row.lstrip())
            lines.append(ScriptLine(words, indent, k + 1, blanks, soft and blanks == 1, k in bold))
            blanks, soft = 0, False
    return _single_spaced(lines)


def _narrow(row: str) -> str:
    """Return a row without more blanks on end than paper has; a search for their end tries from each one."""
    return BLANKS.sub(" " * WIDEST, row)


def _plain(row: str) -> str:
    """Return a row's words without a time before them and Fountain's marks of emphasis around them."""
    words = CLOCK.sub("", row.strip(), count=1)
    return EMPHASIS.sub(r"\2", words) if len(words) < LONGEST_EMPHASIS else words


def _without_marks(row: str) -> str:
    """Leave out the marks of revised lines, at the right edge and at the left one."""
    row = REVISION_LEFT.sub(lambda match: match[1] + " " * (match.end() - match.end(1)), row)
    return row if row.lstrip().startswith("*") else REVISION.sub("", row)


def _belongs_to_the_paper(words: str) -> bool:
    """Say whether a line is a page number or says that something goes on over the page."""
    return any(shape.fullmatch(words) for shape in (PAGE, CONTINUED, AGAIN_ALONE))


def _soft_rows(rows: list[str]) -> frozenset[int]:
    """Return the rows of exactly two spaces, unless that is how the file writes its blank lines."""
    soft = frozenset(k for k, row in enumerate(rows) if row.rstrip("\r") == "  ")
    blank = sum(1 for row in rows if not row.strip())
    return soft if 2 * len(soft) < blank + 1 else frozenset()


def _in_turn(columns: tuple[Column, Column], blanks: int) -> Iterator[ScriptLine]:
    """Yield the lines of two columns, the left one first."""
    for dual, column in enumerate(columns):
        row, name = column.cue
        yield ScriptLine(name, 0, row + 1, blanks, role="cue", dual=bool(dual))
        for row, words in column.lines:
            yield ScriptLine(_plain(words), 0, row + 1, 0, role="speech", dual=bool(dual))


def _clean(text: str) -> str:
    """Return text with one kind of line end and no control characters, page breaks left out."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "").replace("\xa0", " ")
    return re.sub("[\x00-\x08\x0b\x0e-\x1f\x7f\x85\u2028\u2029]", " ", text).lstrip("\ufeff")


def _headers(rows: list[str]) -> set[str]:
    """Return the page headers: lines that come back with another page number."""
    shapes: Counter[str] = Counter()
    texts = {row.strip() for row in rows if re.search(r"\d{1,3}\.?$", row.strip()) and len(row.strip()) > 4}
    for words in texts:
        shapes[_shape(words)] += 1
    return {
        words
        for words in texts
        if "  " in words
        and (shapes[_shape(words)] >= HEADER_TIMES or NUMBERED_PAGE.search(words))
        and not parse_heading(words)
    }


def _shape(words: str) -> str:
    return re.sub(r"\d+\.?$", "#", words)


def _single_spaced(lines: list[ScriptLine]) -> list[ScriptLine]:
    """Undo double spacing: a blank line between nearly all lines, and more between elements.

    Where elements are no further apart than lines are, only cues are joined to what follows them.
    """
    counts = Counter(line.blanks for line in lines[1:])
    odd = sum(count for blanks, count in counts.items() if blanks % 2)
    if len(lines) < 6 or odd < 0.9 * sum(counts.values()):
        return lines
    if odd > counts[1]:
        return [line._replace(blanks=line.blanks // 2) for line in lines]
    joined = [
        line._replace(blanks=0) if _under_a_cue(before, line) else line for before, line in pairwise(lines)
    ]
    return [lines[0], *joined]


def _under_a_cue(before: ScriptLine, line: ScriptLine) -> bool:
    cue = parse_cue(before.text) and not before.role and not line.role
    return bool(cue) and not parse_cue(line.text) and not parse_heading(line.text)
