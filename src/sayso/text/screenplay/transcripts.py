"""Transcripts: a line is "NAME: words"; brackets hold what happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sayso.text.screenplay.elements import Element, Kind
from sayso.text.screenplay.lines import ScriptLine
from sayso.text.screenplay.marks import CharacterCue, is_transition, parse_heading, parse_label

PAIRS = {"(": ")", "[": "]"}


def read_transcript(lines: Sequence[ScriptLine]) -> Iterator[Element]:
    """Yield the elements of a transcript; a line without a name goes on with the speech before it."""
    speech: Element | None = None
    for line in lines:
        scene = parse_heading(line.text)
        found = None if scene else parse_label(line.text)
        if found is None and speech and not scene and not line.blanks and line.text[0] not in PAIRS:
            speech = replace(speech, text=f"{speech.text} {line.text}".strip())
            continue
        if speech:
            yield from _parts(speech)
            speech = None
        if scene:
            yield Element("heading", scene.text, line.number, number=scene.number)
        elif found:
            speech = _speech(found, line)
        else:
            kind: Kind = "transition" if is_transition(line.text) else "description"
            yield Element(kind, _bare(line.text), line.number)
    if speech:
        yield from _parts(speech)


def _speech(found: tuple[CharacterCue, str], line: ScriptLine) -> Element:
    who, text = found
    return Element("dialogue", text, line.number, who.speaker, who.extension)


def _bare(text: str) -> str:
    """Leave out the brackets around a whole line."""
    closing = PAIRS.get(text[0])
    inner = text[1:-1].strip()
    whole = closing and text.endswith(closing) and not any(mark in inner for mark in "()[]")
    return inner if whole and inner else text


def _parts(speech: Element) -> Iterator[Element]:
    """Cut a speech at its brackets: "Hi. (waves) You?" is dialogue, a parenthetical, dialogue."""
    text, start = speech.text, 0
    while True:
        opens = min((at for mark in PAIRS if (at := text.find(mark, start)) != -1), default=-1)
        closes = text.find(PAIRS[text[opens]], opens) if opens != -1 else -1
        words = text[start : opens if closes != -1 else len(text)].strip()
        if words:
            yield replace(speech, text=words)
        if closes == -1:
            return
        yield replace(speech, kind="parenthetical", text=text[opens : closes + 1])
        start = closes + 1
