"""Screenplay files: text, Fountain, HTML and PDF."""

from __future__ import annotations

import os
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.text.captions.encoding import decode_text
from sayso.text.screenplay.elements import Screenplay
from sayso.text.screenplay.parse import parse_screenplay

FOREIGN = 0.05  # of the characters may be none that are written
LARGEST = 32 * 2**20


def read_screenplay(path: str | os.PathLike[str]) -> Screenplay:
    """Read a screenplay or transcript from a text, Fountain, HTML or PDF file.

    Raises:
        SaysoError: naming the file, if it cannot be read or holds no text.
        MissingExtra: for a PDF, if pypdf is not installed.
    """
    text = _text(Path(path))
    if not text.strip():
        raise SaysoError(f"{os.fspath(path)}: expected a screenplay, but there is no text in the file")
    if sum(not (char.isprintable() or char.isspace()) for char in text) > FOREIGN * len(text):
        raise SaysoError(
            f"{os.fspath(path)}: expected a screenplay, but the file holds no text a person can read"
        )
    return parse_screenplay(text)


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise SaysoError(f"{path}: expected a screenplay, found no file there")
        if path.stat().st_size > LARGEST:
            raise SaysoError(f"{path}: expected a screenplay of at most {LARGEST >> 20} MiB; give its text")
        data = path.read_bytes()
        return _pdf_text(path) if data.startswith(b"%PDF") else decode_text(data)[0]
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise SaysoError(f"{path}: expected a screenplay, but the file cannot be read: {why}") from error


def _pdf_text(path: Path) -> str:
    """Return the text of a PDF with its indents, page by page."""
    pypdf = need("pypdf", "scripts")
    try:
        pages = [page.extract_text(extraction_mode="layout") for page in pypdf.PdfReader(path).pages]
    except Exception as error:
        raise SaysoError(f"{path}: the PDF cannot be read ({error}); give the screenplay as text") from error
    return "\n".join(pages)
