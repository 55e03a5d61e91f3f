"""TTML, its older names (DFXP, TTAF) and its profiles (IMSC, EBU-TT, SMPTE-TT): captions as XML.

Elements are matched by their local names, since every version has another
namespace. Times nest: those of a paragraph count from its division's begin, that
one's from the body's (https://www.w3.org/TR/ttml1/#timing). EBU-TT may say at which time code the
programme starts, often ten hours (EBU Tech 3350): that is second 0. A document type is refused before
anything in it is read, because entities can make a small file fill the memory.
"""

from __future__ import annotations

import html.entities
import re
from dataclasses import dataclass, field
from xml.parsers import expat

from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.ttml_time import TtmlRates

DECLARATION = re.compile(r"^(\s*)<\?xml[^>]*\?>")
ENTITY = re.compile(r"&(?!#\d{1,7};|#x[0-9A-Fa-f]{1,6};|(?:amp|lt|gt|quot|apos);)(\w{1,32};)?")
TIMED = ("body", "div", "p", "span")
SILENT = ("metadata", "title", "desc")
READING_AIDS = ("text", "textContainer", "delimiter")  # of ruby: how the word below is pronounced
PROGRAMME = "documentStartOfProgramme"
DEEPEST = 100


def read_ttml(text: str, collector: CaptionCollector) -> None:
    """Read a TTML file; what precedes a break in the XML is kept.

    Raises:
        SubtitleError: if the file declares a document type, or nests without end.
    """
    parser = expat.ParserCreate()
    document = _Document(collector, parser)
    parser.StartDoctypeDeclHandler = document.refuse
    parser.StartElementHandler = document.start
    parser.EndElementHandler = document.end
    parser.CharacterDataHandler = document.characters
    try:
        parser.Parse(ENTITY.sub(_known_entity, DECLARATION.sub(r"\1", text)), True)
    except expat.ExpatError as error:
        collector.skip(error.lineno, f"expected well-formed XML, found: {expat.ErrorString(error.code)}")
    document.hand_over()


def _known_entity(match: re.Match[str]) -> str:
    """Replace an entity of HTML by its character, and escape an ampersand that begins none."""
    return html.entities.html5.get(match[1] or "", f"&amp;{match[1] or ''}")


@dataclass(slots=True)
class _Open:
    """An element that has not ended: its absolute times in seconds, and the words it collects, if it does."""

    name: str
    line: int
    begin: float
    end: float | None
    clock: float  # what a child's times count from
    sequential: bool
    own: bool  # whether it has times itself
    timed: bool  # or whatever holds it
    broken: bool
    speaker: str | None
    words: list[str] | None = field(default=None)


class _Document:
    """Walks the elements of one document and adds its paragraphs to the collector."""

    def __init__(self, collector: CaptionCollector, parser: expat.XMLParserType) -> None:
        self.collector = collector
        self.parser = parser
        self.rates = TtmlRates()
        self.open: list[_Open] = []
        self.words: list[list[str]] = []  # of the elements that collect, the innermost last
        self.silent = 0
        self.agents: dict[str, list[str]] = {}
        self.agent: list[str] = []  # the name of the agent that is open or was last
        self.named: list[str] | None = None
        self.programme: list[str] = []  # the time code at which the programme starts
        self.captions: list[tuple[int, float, float | None, str, str | None]] = []
        self.ruby_styles: set[str] = set()
        self.aids: list[bool] = []  # for each open span, whether it is a reading aid

    def refuse(self, *_: object) -> None:
        """Stop at a document type."""
        line = self.parser.CurrentLineNumber
        raise self.collector.error(line, "expected captions without a document type; remove <!DOCTYPE ...>")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        name = tag.rpartition(":")[2]
        values = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        self.silent += name in SILENT
        if name == "span":
            self.aids.append(self._is_reading_aid(values))
            self.silent += self.aids[-1]
        if name == "style" and self._is_reading_aid(values):
            self.ruby_styles.add(values.get("id", ""))
        if name == "tt":
            self.rates = TtmlRates.declared(values)
        elif name == "agent":
            self.agent = self.agents[values.get("id", "")] = []
        elif name == "name" and not self.agent:
            self.named = self.agent
        elif name == PROGRAMME:
            self.named = self.programme
        elif name == "br" and self.words:
            self.words[-1].append("\n")
        elif name in TIMED:
            self._begin(name, values)

    def _is_reading_aid(self, values: dict[str, str]) -> bool:
        """Say whether an element is ruby text, by its own attribute or by a style."""
        styles = values.get("style", "").split()
        return values.get("ruby") in READING_AIDS or not self.ruby_styles.isdisjoint(styles)

    def _begin(self, name: str, values: dict[str, str]) -> None:
        parent = self.open[-1] if self.open else None
        line = self.parser.CurrentLineNumber
        if len(self.open) == DEEPEST:
            raise self.collector.error(line, f"expected elements nested less than {DEEPEST} deep")
        element = self._timed(name, line, values, parent)
        agent = values.get("agent", "").partition(" ")[0]
        element.speaker = "".join(self.agents.get(agent, ())) or (parent.speaker if parent else None)
        if name == "p" or (
            name == "span" and element.own and parent and parent.name == "p" and not parent.own
        ):
            element.words = []
            self.words.append(element.words)
        self.open.append(element)

    def _timed(self, name: str, line: int, values: dict[str, str], parent: _Open | None) -> _Open:
        """Return the element with its times made absolute; it lasts no longer than its parent."""
        clock = parent.clock if parent else 0.0
        given = {key: values[key] for key in ("begin", "end", "dur") if key in values}
        times = {key: self.rates.seconds(value) for key, value in given.items()}
        wrong = [value for key, value in given.items() if times[key] is None]
        if wrong:
            self.collector.skip(line, f"expected a time such as 00:00:05.000 or 5s, found {wrong[0][:60]!r}")
        begin = clock + (times.get("begin") or 0.0)
        ends = [parent.end] if parent and parent.end is not None else []
        ends += [clock + (times["end"] or 0.0)] if "end" in times else []
        ends += [begin + (times["dur"] or 0.0)] if "dur" in times else []
        return _Open(
            name,
            line,
            begin,
            min(ends, default=None),
            clock=begin,
            sequential=values.get("timeContainer") == "seq",
            own=bool(times),
            timed=bool(times) or (parent is not None and parent.timed),
            broken=bool(wrong) or (parent is not None and parent.broken),
            speaker=None,
        )

    def end(self, tag: str) -> None:
        """Take the end of an element; one that collected words becomes a caption."""
        name = tag.rpartition(":")[2]
        self.silent -= name in SILENT
        if name == "span":
            self.silent -= self.aids.pop()
        if name in ("name", PROGRAMME):
            self.named = None
        if name not in TIMED:
            return
        element = self.open.pop()
        if self.open and self.open[-1].sequential:
            self.open[-1].clock = element.begin if element.end is None else element.end
        if element.words is not None:
            self.words.pop()
            self._add(element, "".join(element.words))

    def _add(self, element: _Open, text: str) -> None:
        if element.broken or not text.strip():
            return
        if element.timed:
            self.captions.append((element.line, element.begin, element.end, text, element.speaker))
        else:
            self.collector.skip(element.line, f"expected <{element.name}> to have a begin and an end")

    def hand_over(self) -> None:
        """Add the captions; where all lie after the programme's start by time code, they count from it."""
        start = self.rates.seconds("".join(self.programme)) or 0.0
        if min((begin for _, begin, *_ in self.captions), default=0.0) < start:
            start = 0.0  # the times count from the start already
        for line, begin, end, text, speaker in self.captions:
            self.collector.add(line, begin - start, None if end is None else end - start, text, speaker)

    def characters(self, data: str) -> None:
        """Take text: of a paragraph, of a speaker's name, or the programme's start."""
        if self.named is not None:
            self.named.append(data)
        elif self.words and not self.silent:
            self.words[-1].append(data.replace("\n", " "))
