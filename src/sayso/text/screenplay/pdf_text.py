"""The text of a PDF with its columns: one left edge for the whole document, paper furniture left out.

pypdf's layout mode finds words and their places, but counts columns from each page's own smallest x, so
that a page of pure dialogue looks like a page of action. A mark drawn at the left edge
of every page gives all pages the same origin; it is dropped again.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.text.screenplay.marks import is_transition, parse_cue, parse_heading
from sayso.text.screenplay.pdf_lines import TextRun, page_lines, straightened, typed

log = logging.getLogger(__name__)

CONTROLS = dict.fromkeys(range(32), " ")
FINER = 1.25  # columns are so much narrower than letters, as in pypdf's layout mode
EDGE = "|SAYSO|"
FONT = "/SaysoEdge"
PAGE_NUMBER = re.compile(r"(?i)\W{0,2}(?:page\s+)?\d{1,3}[a-z]?\W{0,2}(?:(?:of|/)\s*\d{1,3})?")
HEAD_ROWS, HEAD_BLOCKS = 3, 2  # a running head has so many lines, in so many blocks
HEAD_PAGES = 3  # and comes back on so many pages
ENDED = re.compile(r"[.?!…:)\]\"”»*]\s*$")


def read_pdf_text(path: Path) -> str:
    """Return the text of a PDF with its indents, page after page, without running heads and page numbers.

    Raises:
        SaysoError: if the PDF cannot be read.
        MissingExtra: if pypdf is not installed.
    """
    pypdf = need("pypdf", "scripts")
    try:
        with _repairs(path):
            reader = pypdf.PdfReader(path)
            pages = _rows(reader)
    except Exception as error:  # pypdf raises whatever a broken file makes it meet
        raise SaysoError(f"{path}: the PDF cannot be read ({error}); give the screenplay as text") from error
    return "\n".join(_joined(_without_heads(pages)))


@contextmanager
def _repairs(path: Path) -> Iterator[None]:
    """Log once what pypdf has to repair in a file, instead of line after line."""
    handler = _Kept()
    theirs = logging.getLogger("pypdf")
    before = theirs.propagate
    theirs.addHandler(handler)
    theirs.propagate = False
    try:
        yield
    finally:
        theirs.removeHandler(handler)
        theirs.propagate = before
    if handler.messages:
        log.warning("%s: the PDF is damaged, words may be missing: %s", path, handler.messages[0])


class _Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self.messages.append(record.getMessage())


def _rows(reader: Any) -> list[list[str]]:
    """Return the lines of all pages, their columns counted from the left edge of the paper."""
    pages = [page_lines(_pieces(page, reader)) for page in reader.pages]
    pieces = [piece for lines in pages for line in lines for piece in line]
    letters = sum(len(piece.text) for piece in pieces)
    width = sum(piece.end - piece.x for piece in pieces) / max(letters, 1) / FINER
    if width <= 0:
        return [_plain(page) for page in reader.pages]
    both = zip(straightened(pages), reader.pages, strict=True)
    return [typed(lines, width) if lines else _plain(page) for lines, page in both]


def _plain(page: Any) -> list[str]:
    """Return the words of a page without places: these are not looked for in drawings that hold text."""
    text: str = page.extract_text()
    return [row.rstrip() for row in text.replace("\r", "").replace(EDGE, "").split("\n")]


def _pieces(page: Any, reader: Any) -> list[TextRun]:
    """Return the words of a page with their places."""
    from pypdf._text_extraction import _layout_mode
    from pypdf.generic import ContentStream

    _mark_edge(page, reader)
    if "/Contents" not in page:
        return []
    operations = ContentStream(page["/Contents"].get_object(), reader, "bytes").operations
    found = _layout_mode.text_show_operations(iter(operations), page._layout_mode_fonts())
    return [
        TextRun(
            one["tx"],
            one["displaced_tx"],
            -one["ty"] * one["flip_sort"],
            one["font_height"],
            _clean(one["text"]),
        )
        for one in found
        if EDGE not in one["text"] and one["text"].strip()
    ]


def _clean(text: str) -> str:
    return text.translate(CONTROLS)


def _mark_edge(page: Any, reader: Any) -> None:
    """Show a mark in the lower left corner of a page, the first thing that is drawn.

    pypdf counts from a page's smallest x (``text_show_operations``), which is then the mark's.
    """
    from pypdf.generic import ContentStream, DictionaryObject, FloatObject, NameObject, TextStringObject

    content = page.get_contents()
    if content is None:
        return
    resources = page["/Resources"].get_object() if "/Resources" in page else DictionaryObject()
    fonts = DictionaryObject(resources.get("/Font", DictionaryObject()).get_object())
    fonts[NameObject(FONT)] = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Courier"),
            NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
        }
    )
    own = DictionaryObject(resources)
    own[NameObject("/Font")] = fonts
    page[NameObject("/Resources")] = own
    left, bottom = float(page.mediabox.left), float(page.mediabox.bottom)
    matrix = [FloatObject(value) for value in (1, 0, 0, 1, left, bottom)]
    mark = [
        ([], b"BT"),
        ([NameObject(FONT), FloatObject(12)], b"Tf"),
        (matrix, b"Tm"),
        ([TextStringObject(EDGE)], b"Tj"),
        ([], b"ET"),
    ]
    stream = ContentStream(content, reader)
    shown = _one_line_an_object(stream.operations)
    if page.rotation % 360:
        turn = [FloatObject(value) for value in _upright(page)]
        shown = iter([([], b"q"), (turn, b"cm"), *shown, ([], b"Q")])
    stream.operations = [*mark, *shown]
    page[NameObject("/Contents")] = stream


def _upright(page: Any) -> tuple[float, ...]:
    """Return the matrix that turns what a page shows as its viewers do, its left edge at 0."""
    box = page.mediabox
    left, below, right, top = (float(edge) for edge in (box.left, box.bottom, box.right, box.top))
    return {
        90: (0.0, -1.0, 1.0, 0.0, -below, right),
        180: (-1.0, 0.0, 0.0, -1.0, right, top),
        270: (0.0, 1.0, -1.0, 0.0, top, -left),
    }.get(int(page.rotation) % 360, (1.0, 0.0, 0.0, 1.0, 0.0, 0.0))


def _without_heads(pages: Sequence[Sequence[str]]) -> list[list[str]]:
    """Drop blocks at the edges of pages that are page numbers or come back on other pages."""
    kept = [list(rows) for rows in pages]
    for at_top in (True, False):
        for _ in range(HEAD_BLOCKS):
            blocks = [_edge_block(rows, at_top) for rows in kept]
            shapes = Counter(shape for block in blocks for shape in {_shape(row) for row in block})
            for rows, block in zip(kept, blocks, strict=True):
                if block and all(_is_head(row.strip(), shapes) for row in block):
                    del rows[slice(len(block)) if at_top else slice(-len(block), None)]
    return [_trimmed(rows) for rows in kept]


def _trimmed(rows: list[str]) -> list[str]:
    """Leave out the blank lines at both ends of a page, in place."""
    while rows and not rows[0].strip():
        del rows[0]
    while rows and not rows[-1].strip():
        del rows[-1]
    return rows


def _edge_block(rows: list[str], at_top: bool) -> list[str]:
    """Return the lines before the first blank one (after the last one) if they are few enough for a head."""
    _trimmed(rows)
    blank = [k for k, row in enumerate(rows) if not row.strip()]
    if not blank:
        return []
    block = rows[: blank[0]] if at_top else rows[blank[-1] + 1 :]
    return block if len(block) <= HEAD_ROWS else []


def _shape(row: str) -> str:
    return re.sub(r"\d+[A-Z]?", "#", " ".join(row.split()))


def _is_head(row: str, shapes: Counter[str]) -> bool:
    back = shapes[_shape(row)] >= HEAD_PAGES and not parse_heading(row)
    return back or PAGE_NUMBER.fullmatch(row) is not None


def _joined(pages: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows of all pages, with a blank one between pages unless a paragraph or a speech goes on."""
    joined: list[str] = []
    left = min((_indent(row) for rows in pages for row in rows if row.strip()), default=0)
    for rows in pages:
        if joined and rows and not _cue_alone(joined, rows[0], left):
            further = abs(_indent(joined[-1]) - _indent(rows[0])) > 2
            if further or ENDED.search(joined[-1]):
                joined.append("")
        joined.extend(rows)
    return joined


def _cue_alone(joined: Sequence[str], below: str, left: int) -> bool:
    """Say whether the last row of a page is a cue whose speech begins on the next page.

    Args:
        joined: the rows so far.
        below: the first row of the next page.
        left: the indent of what stands furthest left in the document.
    """
    last, free = joined[-1].strip(), len(joined) < 2 or not joined[-2].strip()
    further = _indent(joined[-1]) > _indent(below) + 3 > left + 6
    return free and further and parse_cue(last) is not None and not is_transition(last)


def _indent(row: str) -> int:
    return len(row) - len(row.lstrip())


def _one_line_an_object(operations: Sequence[tuple[Any, bytes]]) -> Iterator[tuple[Any, bytes]]:
    """Begin a text object at each place that is given absolutely: pypdf sorts objects from left to right."""
    shown = False
    for operands, operator in operations:
        if operator == b"BT":
            shown = False
        elif operator in (b"Tj", b"TJ"):
            shown = True
        elif operator == b"Tm" and shown:
            shown = False
            yield [], b"ET"
            yield [], b"BT"
        yield operands, operator
