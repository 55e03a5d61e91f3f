"""Screenplays and transcripts as people write them, read into their elements.

Plain text has no marks: an element is told by its words (``INT.``), its capitals,
its indent and the blank lines around it. Four ways of writing are known: indented
as a typewriter did it, Fountain (and any flat text with blank lines between
elements), transcripts (``NAME: line``), and any of them with double spacing. What
could be read in two ways is listed with its line.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sayso.core.errors import SaysoError
from sayso.core.lazy import need

Kind = Literal["heading", "description", "dialogue", "parenthetical", "transition"]
Style = Literal["indented", "flat", "transcript"]
FOREIGN = 0.05  # of the characters may be none that are written
LARGEST = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Element:
    """One piece of a screenplay.

    Args:
        kind: ``heading`` of a scene, ``description`` (action), ``dialogue``,
            ``parenthetical`` (how or to whom something is said), ``transition``.
        text: what is written, on one line, without the marks of the format.
        line: line of the file where it begins, from 1.
        speaker: who speaks (dialogue and parentheticals), without extensions; None if not said.
        extension: what stands behind the speaker: ``V.O.``, ``O.S.``.
        number: the scene's number, as written.
        dual: whether it is spoken at the same time as the speech before.
    """

    kind: Kind
    text: str
    line: int
    speaker: str | None = None
    extension: str | None = None
    number: str | None = None
    dual: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that could be read in two ways: the line, and one sentence how it was read."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Screenplay:
    """A screenplay's elements in order.

    Args:
        elements: what it consists of.
        title: the fields of the title page, lower-case names.
        style: how it is written.
        doubts: what was ambiguous, by line.
    """

    elements: tuple[Element, ...] = ()
    title: dict[str, str] = field(default_factory=dict)
    style: Style = "flat"
    doubts: tuple[Doubt, ...] = ()

    @property
    def speakers(self) -> list[str]:
        """Who speaks, each once, in the order of their first line."""
        return list(dict.fromkeys(element.speaker for element in self.elements if element.speaker))

    def of_kind(self, kind: Kind) -> Iterator[Element]:
        """Yield the elements of one kind in order."""
        return (element for element in self.elements if element.kind == kind)


def read_screenplay(path: str | os.PathLike[str]) -> Screenplay:
    """Read a screenplay or transcript from a text, Fountain, HTML or PDF file.

    Raises:
        SaysoError: naming the file, if it cannot be read or holds no text.
        MissingExtra: for a PDF, if pypdf is not installed.
    """
    from sayso.text.screenplay.reader import parse_screenplay

    text = _text(Path(path))
    if not text.strip():
        raise SaysoError(f"{os.fspath(path)}: expected a screenplay, but there is no text in the file")
    if sum(not (char.isprintable() or char.isspace()) for char in text) > FOREIGN * len(text):
        raise SaysoError(
            f"{os.fspath(path)}: expected a screenplay, but the file holds no text a person can read"
        )
    return parse_screenplay(text)


def _text(path: Path) -> str:
    from sayso.text.captions.encoding import decode

    try:
        if not path.is_file():
            raise SaysoError(f"{path}: expected a screenplay, found no file there")
        if path.stat().st_size > LARGEST:
            raise SaysoError(f"{path}: expected a screenplay of at most {LARGEST >> 20} MiB; give its text")
        data = path.read_bytes()
        return _pdf_text(path) if data.startswith(b"%PDF") else decode(data)[0]
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
