"""The lines of a screenplay, without what belongs to the paper: page numbers, headers, revision marks."""

from __future__ import annotations

import html
import re
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

from sayso.text.screenplay.marks import parse_cue, parse_heading

MARKUP = re.compile(r"<(?:b|i|u|pre|p|br|td|font|center|html|body|strong|em)\b[^<>]*>", re.IGNORECASE)
TAG = re.compile(r"<(?:[a-z!/][^<>]*|!--.*?--)>", re.IGNORECASE | re.DOTALL)
INVISIBLE = re.compile(r"<(script|style|head|title)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
PAGE = re.compile(r"(?i)(?:page\s+)?\(?\d{1,3}[a-z]?[.)]?(?:\s*(?:of|/)\s*\d{1,3})?|-\s*\d{1,3}\s*-")
CONTINUED = re.compile(
    r"(?i)(?:\d+[a-z]?\s+)?(?:\(\s*(?:cont(?:inued|'d|’d)?|more)\.*\s*\)|continued|cont'd|more)"
    r"\s*:?\s*(?:\(\d+\))?(?:\s+\d+[a-z]?)?"
)
REVISION = re.compile(r"(?:\s{2,}|^\s*)\*+\s*$")
EMPHASIS = re.compile(r"(\*{1,3}|_)(?=\S)(.+)(?<=\S)\1")
CLOCK = re.compile(r"[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?[\])]?[ \t]+(?=[^\W\d])")
HEADER_TIMES = 3  # a line with a page number that is there on three pages is a header
NUMBERED_PAGE = re.compile(r"\s{4,}\d{1,3}\.$")
TAB = 8


class Line(NamedTuple):
    """A line: its text without outer spaces, its indent in columns, its number in the file.

    ``blanks`` counts the blank lines before it.
    """

    text: str
    indent: int
    number: int
    blanks: int


def read_lines(text: str) -> list[Line]:
    """Return the lines with text; double spacing is undone in the count of blank lines."""
    rows = [row.expandtabs(TAB).rstrip() for row in _plain(text).split("\n")]
    headers = _headers(rows)
    lines: list[Line] = []
    blanks = 1
    for number, row in enumerate(rows, 1):
        marked = REVISION.sub("", row) if not row.lstrip().startswith(("**", "*")) else row
        words = EMPHASIS.sub(r"\2", CLOCK.sub("", marked.strip(), count=1))
        if not words:
            blanks += 1
        elif not (words in headers or PAGE.fullmatch(words) or CONTINUED.fullmatch(words)):
            lines.append(Line(words, len(marked) - len(marked.lstrip()), number, blanks))
            blanks = 0
    return _single_spaced(lines)


def _plain(text: str) -> str:
    """Return text with one kind of line end, page breaks as blank lines, and without HTML."""
    if len(MARKUP.findall(text[:200_000])) >= 5:
        text = html.unescape(TAG.sub("", re.sub(r"(?i)<br\s*/?>|</p>", "\n", INVISIBLE.sub("", text))))
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


def _single_spaced(lines: list[Line]) -> list[Line]:
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
        line._replace(blanks=0)
        if parse_cue(before.text) and not parse_cue(line.text) and not parse_heading(line.text)
        else line
        for before, line in pairwise(lines)
    ]
    return [lines[0], *joined]
