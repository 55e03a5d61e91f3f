"""Screenplays and transcripts as people write them, read into their elements.

Plain text has no marks: an element is recognised by its words (``INT.``), its capitals,
its indent and the blank lines around it. Four ways of writing are known: indented
as a typewriter did it, Fountain (and any flat text with blank lines between
elements), transcripts (``NAME: line``), and any of them with double spacing. What
could be read in two ways is listed with its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["heading", "description", "dialogue", "parenthetical", "transition"]
Style = Literal["indented", "flat", "transcript"]


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
