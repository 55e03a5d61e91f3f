"""Final Draft's own files (``.fdx``): XML of paragraphs that say what they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from sayso.core.errors import SaysoError
from sayso.text.screenplay.elements import Doubt, Element, Kind, Screenplay
from sayso.text.screenplay.marks import CharacterCue, parse_name

DECLARATION = re.compile(r"^(\s*)<\?xml[^>\n]*\?>")  # its encoding says nothing: the text is decoded
KINDS: dict[str, Kind] = {
    "scene heading": "heading",
    "parenthetical": "parenthetical",
    "dialogue": "dialogue",
    "lyrics": "dialogue",
    "singing": "dialogue",
    "transition": "transition",
}
CUE = "character"
SILENT = ("ScriptNote", "SceneProperties", "TitlePage", "HeaderAndFooter")
DEEPEST = 100


@dataclass(slots=True)
class _Paragraph:
    """A paragraph of the file: what it is, where, and its words."""

    type: str
    line: int
    number: str | None
    place: int | None  # among the speeches of dual dialogue, None outside
    words: list[str] = field(default_factory=list)


class _Document:
    """Collects the paragraphs inside ``Content``, in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.open: list[str] = []
        self.paragraphs: list[_Paragraph] = []
        self.within: list[_Paragraph] = []
        self.dual: int | None = None

    def _refuse(self, *_: object) -> None:
        raise SaysoError(f"{self.name}: expected a script without a document type; remove <!DOCTYPE ...>")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self.open) == DEEPEST:
            raise SaysoError(f"{self.name}: expected elements nested less than {DEEPEST} deep")
        self.open.append(tag)
        if self._is_silent():
            return
        if tag == "DualDialogue":
            self.dual = -1
        elif tag == "Paragraph":
            kind = attributes.get("Type", "").lower()
            if self.dual is not None and kind == CUE:
                self.dual += 1
            line = self.parser.CurrentLineNumber
            paragraph = _Paragraph(kind, line, attributes.get("Number") or None, self.dual)
            self.paragraphs.append(paragraph)
            self.within.append(paragraph)

    def _is_silent(self) -> bool:
        return "Content" not in self.open or any(tag in SILENT for tag in self.open)

    def _end(self, tag: str) -> None:
        silent = self._is_silent()
        self.open.pop()
        if silent:
            return
        if tag == "DualDialogue":
            self.dual = None
        elif tag == "Paragraph" and self.within:
            self.within.pop()

    def _characters(self, data: str) -> None:
        if self.within and self.open[-1] == "Text" and not self._is_silent():
            self.within[-1].words.append(data)


def read_final_draft(text: str, name: str) -> Screenplay:
    """Read a Final Draft file.

    Args:
        text: of the file.
        name: the file, as messages name it.

    Raises:
        SaysoError: if it is no Final Draft file, or its XML is broken.
    """
    document = _Document(name)
    try:
        document.parser.Parse(DECLARATION.sub(r"\1", text), True)
    except expat.ExpatError as error:
        why = f"line {error.lineno}: {expat.ErrorString(error.code)}"
        raise SaysoError(
            f"{name}: the XML of this Final Draft file is broken ({why}); export it again"
        ) from error
    doubts: list[Doubt] = []
    return Screenplay(tuple(_elements(document.paragraphs, doubts)), {}, "flat", tuple(doubts))


def _elements(paragraphs: list[_Paragraph], doubts: list[Doubt]) -> Iterator[Element]:
    """Yield the elements of paragraphs; who speaks is the last cue, until a heading or a description."""
    speaker: CharacterCue | None = None
    for paragraph in paragraphs:
        words = " ".join("".join(paragraph.words).split())
        kind = KINDS.get(paragraph.type, "description")
        if not words:
            continue
        if paragraph.type == CUE:
            speaker = parse_name(words) or CharacterCue(words, None)
        elif kind in ("dialogue", "parenthetical") and speaker:
            dual = (paragraph.place or 0) > 0
            yield Element(kind, words, paragraph.line, speaker.speaker, speaker.extension, None, dual)
        else:
            if kind in ("dialogue", "parenthetical"):
                doubts.append(
                    Doubt(paragraph.line, f"{words[:40]!r} is {paragraph.type}, but nobody is named")
                )
                kind = "description"
            speaker = None
            number = paragraph.number if kind == "heading" else None
            yield Element(kind, words, paragraph.line, number=number)
