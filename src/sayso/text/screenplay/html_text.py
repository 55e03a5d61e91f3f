"""Scripts as web pages: their text with its indents, and which lines are bold.

Two kinds are read: typewritten pages inside ``<pre>`` (IMSDb marks headings and cues
there with ``<b>``), and pages of paragraphs, where white space means nothing.
"""

from __future__ import annotations

import html
import re

MARKUP = re.compile(
    r"<(?:b|i|u|pre|p|br|td|div|span|h\d|font|center|html|body|strong|em)\b[^<>]*>", re.IGNORECASE
)
TAG = re.compile(r"<(?:[a-z!/][^<>]*|!--.*?--)>", re.IGNORECASE | re.DOTALL)
INVISIBLE = re.compile(r"<(script|style|head|title)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
PRE = re.compile(r"<pre\b[^<>]*>(.*?)(?:</pre\s*>|$)", re.IGNORECASE | re.DOTALL)
BLOCK = re.compile(
    r"<(/?)(?:p|div|h\d|li|ul|ol|tr|table|center|blockquote|section)\b([^<>]*)>", re.IGNORECASE
)
CUE_CLASS = re.compile(r"class=[\"']?[^\"'<>]{0,100}(?:character|cue|speaker|parenthetical)", re.IGNORECASE)
LINE_BREAK = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)
BOLD = re.compile(r"<(/?)(?:b|strong)\b[^<>]*>", re.IGNORECASE)
START, END, JOIN = "\ue000", "\ue001", "\ue002"  # of bold text; a break without a blank line
LEAST_TAGS = 5


def looks_like_html(text: str) -> bool:
    """Say whether a text is marked up as a web page."""
    return len(MARKUP.findall(text[:200_000])) >= LEAST_TAGS


def html_lines(text: str) -> tuple[str, frozenset[int]]:
    """Return the text of a page, and the numbers (from 0) of its lines that begin in bold."""
    text = INVISIBLE.sub(lambda match: "\n" * match.group().count("\n"), text)
    typed = PRE.findall(text)
    if typed and 2 * sum(map(len, typed)) > len(text):
        first = PRE.search(text)
        above = text[: first.start(1)].count("\n") if first else 0
        text = "\n" * above + "\n".join(typed)
    elif not typed:
        text = _paragraphs(text)
    text = BOLD.sub(lambda match: END if match[1] else START, text)
    text = html.unescape(TAG.sub("", LINE_BREAK.sub("\n", text)))
    return _take_bold(text)


def _paragraphs(text: str) -> str:
    """Make each block a line of its own, with a blank line after it unless it names who speaks next."""
    cue = False

    def gap(tag: re.Match[str]) -> str:
        nonlocal cue
        joins = bool(tag[1]) and cue
        cue = not tag[1] and CUE_CLASS.search(tag[2]) is not None
        return JOIN if joins else "\n\n"

    text = BLOCK.sub(gap, " ".join(text.split()))
    return re.sub(rf"{JOIN}\s*", "\n", text)


def _take_bold(text: str) -> tuple[str, frozenset[int]]:
    """Remove the marks of bold text and return where lines begin inside it."""
    rows, bold, inside = [], set(), False
    for number, row in enumerate(text.split("\n")):
        before = row[: len(row) - len(row.lstrip(f" \t{START}{END}"))]
        begins = START in before if (START in before or END in before) else inside
        if begins and before.rfind(END) <= before.rfind(START):
            bold.add(number)
        marks = [mark for mark in row if mark in (START, END)]
        inside = marks[-1] == START if marks else inside
        rows.append(row.replace(START, "").replace(END, ""))
    return "\n".join(rows), frozenset(bold)
