"""Text of others made harmless: names of files reach terminals, logs, tables and pages.

A name may hold any character: one that begins a command of the terminal (ESC, C1), that ends a line, or that
turns the direction of what follows. Each becomes what Python writes for it, its escape.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

_TURNS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029{_TURNS}\ud800-\udfff]")

_FORMULA = re.compile("'*[=+\\-@\t\n\uff1d\uff0b\uff0d\uff20]")  # the last four are the same, of full width
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")


def harmless(text: str, *, lines: bool = False) -> str:
    """Return text in which nothing moves a terminal's cursor, colours it, ends the line or turns it round.

    Args:
        text: any.
        lines: whether it has lines of its own, which stay.
    """
    if lines:
        return "\n".join(map(harmless, text.split("\n")))
    return text if text.isprintable() else _UNSAFE.sub(lambda found: repr(found[0])[1:-1], text)


def harmless_json(row: Mapping[str, Any]) -> str:
    """Return a line of JSON that is as harmless to see, and the same to read."""
    text = json.dumps(row, ensure_ascii=False)
    return text if text.isprintable() else _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def harmless_cells(row: Mapping[str, Any]) -> list[Any]:
    """Return the cells of a row of a table, texts harmless; in ``text`` lines stay, which CSV quotes.

    A spreadsheet takes a text that begins with = + - or @ for a formula, which may run programs; so an
    apostrophe goes before it, but for plain numbers. ``without_guard`` takes it away again.

    Args:
        row: cells by the names of their columns.

    Source:
        OWASP, "CSV Injection": https://owasp.org/www-community/attacks/CSV_Injection
    """
    return [
        _guarded(harmless(cell, lines=name == "text")) if isinstance(cell, str) else cell
        for name, cell in row.items()
    ]


def without_guard(cell: str) -> str:
    """Return the text of a cell that ``harmless_cells`` gave, or that a person typed after an apostrophe."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _guarded(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def html_text(text: str, *, quote: bool = True) -> str:
    """Return text as HTML shows it.

    Args:
        text: any.
        quote: whether it stands in an attribute, where quotes end it.
    """
    return html.escape(harmless(text, lines=True), quote=quote)
