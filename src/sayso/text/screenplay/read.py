"""Screenplay files: text, Fountain, HTML, Final Draft and PDF."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sayso.core.errors import SaysoError, nothing_at
from sayso.text.captions.encoding import decode_text
from sayso.text.screenplay.elements import Screenplay
from sayso.text.screenplay.final_draft import read_final_draft
from sayso.text.screenplay.parse import parse_screenplay
from sayso.text.screenplay.pdf_text import read_pdf_text
from sayso.text.screenplay.plausible import other_kind

FOREIGN = 0.05  # of the characters may be none that are written
FINAL_DRAFT = re.compile(r"<FinalDraft\b")
LARGEST = 32 * 2**20


def read_screenplay(path: str | os.PathLike[str]) -> Screenplay:
    """Read a screenplay or transcript from a text, Fountain, HTML, Final Draft (.fdx) or PDF file.

    Raises:
        SaysoError: naming the file, if it cannot be read, holds no text, or is something
            else: XML, captions, JSON, or prose in which nobody speaks and no scene begins.
        MissingExtra: for a PDF, if pypdf is not installed.
    """
    name = os.fspath(path)
    text = _text(Path(path))
    if not text.strip():
        raise SaysoError(f"{name}: expected a screenplay, but there is no text in the file")
    other = other_kind(text)
    if other is None and sum(not (char.isprintable() or char.isspace()) for char in text) > FOREIGN * len(
        text
    ):
        raise SaysoError(f"{name}: expected a screenplay, but the file holds no text a person can read")
    if other is not None:
        raise SaysoError(
            f"{name}: expected a screenplay, found {other}; give the script as text, PDF or .fdx"
        )
    screenplay = read_final_draft(text, name) if FINAL_DRAFT.search(text[:4000]) else parse_screenplay(text)
    if not any(element.speaker or element.kind == "heading" for element in screenplay.elements):
        raise SaysoError(
            f"{name}: expected a screenplay, found text without scene headings or speakers; mark them as "
            "Fountain does (INT. KITCHEN, and names in capitals above what is said)"
        )
    return screenplay


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise SaysoError(nothing_at(path, "name a screenplay"))
        if path.stat().st_size > LARGEST:
            raise SaysoError(f"{path}: expected a screenplay of at most {LARGEST >> 20} MiB; give its text")
        data = path.read_bytes()
        return read_pdf_text(path) if data.startswith(b"%PDF") else decode_text(data)[0]
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise SaysoError(f"{path}: expected a screenplay, but the file cannot be read: {why}") from error
