"""Which element each line of a screenplay belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

from sayso.text.screenplay.elements import Doubt, Element, Kind, Screenplay, Style
from sayso.text.screenplay.fountain import strip_notes, take_title
from sayso.text.screenplay.lines import ScriptLine, read_lines
from sayso.text.screenplay.marks import (
    CharacterCue,
    is_certain_transition,
    is_name,
    is_transition,
    is_upper,
    parse_cue,
    parse_heading,
    parse_label,
    parse_name,
)
from sayso.text.screenplay.plausible import implausible
from sayso.text.screenplay.title_page import take_typed_title
from sayso.text.screenplay.transcripts import read_transcript

# A text is a transcript if this share of its lines begins with a name and a colon, or
# a smaller one with names that come back.
LABELLED, LABELLED_AGAIN = 0.3, 0.08
INDENTED = 0.5  # and indented if this share of its cues stands further right than what follows
OPENINGS = ("(", "[")
CLOSINGS = (")", "]")


def parse_screenplay(text: str) -> Screenplay:
    """Read the text of a screenplay or transcript; any text can be read, whatever it is.

    Returns:
        The elements, with ``doubts`` where a line could be read in two ways.
    """
    title, text = take_title(strip_notes(text))
    lines: Sequence[ScriptLine] = read_lines(text)
    style = _style(lines)
    if style == "transcript":
        return _doubted(Screenplay(tuple(read_transcript(lines)), title, style))
    if style == "indented" and not title:
        title, lines = take_typed_title(lines)
    reader = _ScriptParser(lines, style)
    reader.read()
    return _doubted(Screenplay(tuple(reader.elements), title, style, tuple(reader.doubts)))


def _doubted(screenplay: Screenplay) -> Screenplay:
    """Add the doubt whether this is a screenplay at all, first."""
    doubt = implausible(screenplay) if screenplay.elements else None
    return replace(screenplay, doubts=(doubt, *screenplay.doubts)) if doubt else screenplay


def _style(lines: Sequence[ScriptLine]) -> Style:
    names = [found[0].speaker for line in lines if (found := parse_label(line.text)) and found[1]]
    labelled = len(names)
    enough = LABELLED_AGAIN if 3 * len(set(names)) <= labelled else LABELLED
    cues = _cue_lines(lines)
    if labelled >= enough * len(lines) and labelled > len(cues):
        return "transcript"
    further = sum(1 for k in cues if lines[k].indent > lines[k + 1].indent + 3)
    return "indented" if cues and further >= INDENTED * len(cues) else "flat"


def _cue_lines(lines: Sequence[ScriptLine]) -> list[int]:
    """Return which lines name a speaker above a speech: those in capitals; without any, those set apart."""
    followed = [k for k, line in enumerate(lines[:-1]) if not line.role and not lines[k + 1].blanks]
    capitals = [k for k in followed if parse_cue(lines[k].text)]
    if capitals:
        return capitals
    set_apart = [k for k in followed if lines[k].blanks and lines[k].indent > lines[k + 1].indent + 3]
    return [k for k in set_apart if is_name(lines[k].text) and not parse_heading(lines[k].text)]


class _ScriptParser:
    """Reads scripts whose cues stand on lines of their own.

    Args:
        lines: with text.
        style: ``indented`` tells dialogue by its column, ``flat`` by the blank line after it.
    """

    def __init__(self, lines: Sequence[ScriptLine], style: Style) -> None:
        self.lines, self.style = lines, style
        self.elements: list[Element] = []
        self.doubts: list[Doubt] = []
        self.speaker: CharacterCue | None = None
        self.open_bracket = False
        self.cue_indent, self.dialogue_indent, self.left = self._columns()

    def _columns(self) -> tuple[int, int, int]:
        """Return the usual columns of cues, of dialogue, and of everything else."""
        pairs = [(self.lines[k].indent, self.lines[k + 1].indent) for k in _cue_lines(self.lines)]
        cues = [(cue, below) for cue, below in pairs if cue > below + 3]
        if not cues:
            return 0, 0, 0
        cue_indent, dialogue_indent = Counter(cues).most_common(1)[0][0]
        plain = [line for line in self.lines if not line.role and not parse_heading(line.text)]
        others = Counter(line.indent for line in plain if line.indent < dialogue_indent - 2)
        left = others.most_common(1)[0][0] if others else 0
        return cue_indent, dialogue_indent, left

    @cached_property
    def flush(self) -> bool:
        """Whether speech begins where headings and descriptions do, under cues that stand further right."""
        headings = (line.indent for line in self.lines if parse_heading(line.text))
        return not self.left and min(headings, default=0) >= self.dialogue_indent - 2

    def read(self) -> None:
        """Give every line to an element."""
        for k, line in enumerate(self.lines):
            after = self.lines[k + 1] if k + 1 < len(self.lines) else None
            self._take(line, after)

    def _take(self, line: ScriptLine, after: ScriptLine | None) -> None:
        text = line.text
        if line.role or self._forced(line):
            self._take_column(line)
            return
        scene = parse_heading(text) if self._stands_free(line) else None
        speaker = None if scene else self._cue(line, after)
        if scene:
            self._add("heading", scene.text, line, number=scene.number)
        elif speaker:
            self.speaker, self.open_bracket = self._same_or_new(speaker), False
        elif is_transition(text) and self._stands_free(line) and not line.soft:
            self._add("transition", text, line)
        elif self.speaker and self._is_spoken(line):
            self._speak(line)
        else:
            self._describe(line)

    def _take_column(self, line: ScriptLine) -> None:
        """Take a line of two columns side by side."""
        if line.role == "cue":
            self.speaker, self.open_bracket = parse_name(line.text, line.dual), False
        elif line.role == "speech" and self.speaker:
            self._speak(line)

    def _forced(self, line: ScriptLine) -> bool:
        """Take the marks by which Fountain says what a line is."""
        text, mark = line.text, line.text[:1]
        if self.style != "flat" or len(text) < 2:
            return False
        free = line.blanks > 0
        if mark == "." and text[1].isalnum() and free:
            found = parse_heading("INT. " + text[1:])
            self._add("heading", (found.text if found else text)[5:], line, number=found and found.number)
        elif mark == "!":
            self._add("description", text[1:].strip(), line)
        elif mark == "@" and (speaker := parse_name(text[1:].rstrip("^"), text.endswith("^"))):
            self.speaker, self.open_bracket = speaker, False
        elif mark == ">" and not text.endswith("<") and free:
            self._add("transition", text[1:].strip(), line)
        elif mark == "~" and self.speaker and not free:
            self._speak(line._replace(text=text[1:].strip()))
        else:
            return mark in "#=" and free
        return True

    def _same_or_new(self, speaker: CharacterCue) -> CharacterCue:
        """Return the cue above if this one says that its speech goes on, over the end of a page."""
        above = self._begun
        goes_on = speaker.again and self._last_is("dialogue") and above and above.speaker == speaker.speaker
        return above if above and goes_on else speaker

    def _stands_free(self, line: ScriptLine) -> bool:
        """Say whether a line can begin something: after a blank line, or left of the dialogue."""
        return line.blanks > 0 or (self.style == "indented" and line.indent < self.dialogue_indent - 2)

    def _cue(self, line: ScriptLine, after: ScriptLine | None) -> CharacterCue | None:
        if after is None or after.role == "cue" or is_certain_transition(line.text):
            return None
        found = parse_cue(line.text)
        if self.style == "indented":
            return self._cue_by_column(line, after, found)
        if line.bold and not after.bold and line.blanks and not after.blanks and is_name(line.text):
            return parse_name(line.text)
        if found is None or not line.blanks or (after.blanks and not after.soft):
            return None
        if is_transition(line.text):
            self._doubt(line, f"{line.text!r} was read as a speaker, and may be a transition")
        elif is_upper(after.text) and len(found.speaker.split()) > 3:
            self._doubt(line, f"{line.text!r} was read as a speaker, and may be a description")
        return found

    def _cue_by_column(
        self, line: ScriptLine, after: ScriptLine, found: CharacterCue | None
    ) -> CharacterCue | None:
        """Return the speaker if a line stands where cues stand; its case does not matter in that column."""
        right = line.indent > self.dialogue_indent + 2
        directed = after.text.startswith(OPENINGS)
        spoken = line.indent > after.indent + 2 and abs(after.indent - self.dialogue_indent) <= 2
        if right and line.blanks and not after.blanks and (directed or spoken) and is_name(line.text):
            return parse_name(line.text)
        near = right and abs(line.indent - self.cue_indent) <= 4
        far = line.indent > self.dialogue_indent + 6
        return found if (near or far) and not after.blanks else None

    def _is_spoken(self, line: ScriptLine) -> bool:
        if self.style == "flat" or self.flush:
            return line.blanks == 0 or line.soft
        spoken = line.indent >= (self.dialogue_indent + self.left) / 2
        if spoken and line.blanks > 1 and self._last_is("dialogue"):
            self._doubt(line, "this was read as more of the speech above, because of its indent")
        return spoken

    def _doubt(self, line: ScriptLine, message: str) -> None:
        self.doubts.append(Doubt(line.number, message))

    def _last_is(self, kind: Kind) -> bool:
        return bool(self.elements) and self.elements[-1].kind == kind

    def _speak(self, line: ScriptLine) -> None:
        """Add a line under a cue: words, or in brackets how they are said."""
        text = " ".join(line.text.split())
        if text.startswith(OPENINGS) or self.open_bracket:
            joins = self.open_bracket
            self.open_bracket = not text.endswith(CLOSINGS)
            self._say("parenthetical", text, line, joins)
        else:
            self._say("dialogue", text, line, self._last_is("dialogue"))

    def _say(self, kind: Kind, text: str, line: ScriptLine, joins: bool) -> None:
        speaker = self.speaker
        last = self.elements[-1] if self.elements else None
        assert speaker is not None  # noqa: S101  callers look
        if joins and last and last.kind == kind and self._begun is speaker:
            self.elements[-1] = replace(last, text=f"{last.text} {text}")
            return
        self._begun = speaker
        self.elements.append(
            Element(kind, text, line.number, speaker.speaker, speaker.extension, None, speaker.dual)
        )

    _begun: CharacterCue | None = None

    def _describe(self, line: ScriptLine) -> None:
        """Add to the description above, or begin one."""
        text = line.text.removeprefix("> ").removesuffix(" <") if line.text.endswith("<") else line.text
        text = " ".join(text.split()) or line.text
        if self.style == "flat" and line.blanks:
            self._doubt_description(line, text)
        if self._last_is("description") and not line.blanks and self.speaker is None:
            self.elements[-1] = replace(self.elements[-1], text=f"{self.elements[-1].text} {text}")
        else:
            self._add("description", text, line)

    def _doubt_description(self, line: ScriptLine, text: str) -> None:
        """List a line that may be a cue: capitals without words below, or words below no capitals."""
        if parse_cue(text) and len(text.split()) <= 3:
            self._doubt(line, f"{text!r} was read as a description: no words follow it")
        elif (
            line.number in self._above_words
            and is_name(text)
            and len(text.split()) <= 4
            and text[-1] not in ".,"
        ):
            self._doubt(line, f"{text!r} was read as a description, and may be a speaker: write @{text}")

    @cached_property
    def _above_words(self) -> frozenset[int]:
        """The numbers of the lines that have a line right below."""
        return frozenset(
            line.number for line, after in pairwise(self.lines) if not after.blanks and after.role != "cue"
        )

    def _add(self, kind: Kind, text: str, line: ScriptLine, number: str | None = None) -> None:
        self.speaker, self.open_bracket = None, False
        self.elements.append(Element(kind, text, line.number, number=number))
