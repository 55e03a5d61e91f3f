"""The system from end to end: a screenplay and captions in, times and speakers out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sayso.alignment.lines import SpokenLine
from sayso.alignment.matching import match_words
from sayso.alignment.speakers import speak_lines
from sayso.alignment.timing import TimedElement, place_elements
from sayso.alignment.words import script_words, spoken_words
from sayso.core.types import Caption, Span
from sayso.text.screenplay.elements import Screenplay

IMPROVISED = 0.25  # a line with less of its words in the script is not from the script


@dataclass(frozen=True, slots=True)
class AlignedScript:
    """A script with times, and the subtitles' lines with speakers.

    Args:
        elements: every element of the script in its order.
        lines: every line of the subtitles in order.
    """

    elements: tuple[TimedElement, ...]
    lines: tuple[SpokenLine, ...]

    @property
    def unplaced(self) -> list[TimedElement]:
        """Speeches of the script that the subtitles do not have: cut, or worded otherwise."""
        return [item for item in self.elements if item.element.kind == "dialogue" and item.span is None]

    @property
    def improvised(self) -> list[SpokenLine]:
        """Lines of the subtitles that the script does not have."""
        return [line for line in self.lines if line.matched < IMPROVISED and line.text]

    @property
    def moved(self) -> list[TimedElement]:
        """Speeches that come at another place than the script has them."""
        return [item for item in self.elements if item.moved]

    @property
    def matched(self) -> float:
        """Share of the script's speeches that were placed; 0 for a script without any."""
        speech = [item for item in self.elements if item.element.kind == "dialogue"]
        return 1 - len(self.unplaced) / len(speech) if speech else 0.0

    def captions(self) -> list[Caption]:
        """Return the lines as captions with speakers; those of one caption and speaker are joined."""
        joined: list[tuple[int, Caption]] = []
        for line in self.lines:
            if not line.text:
                continue
            text = line.text.lstrip("-–— ") or line.text
            if joined and joined[-1][0] == line.caption and joined[-1][1].speaker == line.speaker:
                last = joined[-1][1]
                span = Span(last.span.start, line.span.end)
                joined[-1] = (line.caption, replace(last, span=span, text=f"{last.text}\n{text}"))
            else:
                joined.append((line.caption, Caption(line.span, text, line.speaker)))
        return [caption for _, caption in joined]

    def rows(self) -> Iterator[dict[str, object]]:
        """Yield the elements as plain rows, without transitions; see ``TimedElement.to_dict``."""
        return (item.to_dict() for item in self.elements if item.element.kind != "transition")


def align_script(script: Screenplay, captions: Sequence[Caption]) -> AlignedScript:
    """Give a screenplay times and captions speakers.

    Args:
        script: as ``text.read_screenplay`` returns it.
        captions: of the same film, in order; a line break within a caption parts what
            may be two speakers (``text.read_subtitles`` keeps those).

    Returns:
        All elements and all lines. What could not be placed has no span: cut scenes,
        improvised lines. Stretches in another order are found and marked.

    Examples:
        >>> from sayso import Caption, Span
        >>> from sayso.text import parse_screenplay
        >>> script = parse_screenplay("ANNA: Have you seen my yellow hat anywhere?")
        >>> heard = [Caption(Span(3.0, 5.0), "Have you seen my yellow hat?")]
        >>> [(line.speaker, line.span.start) for line in align_script(script, heard).lines]
        [('ANNA', 3.0)]
    """
    written, spoken = script_words(script.elements), spoken_words(captions)
    matches = match_words(written.words, spoken.words)
    return AlignedScript(
        tuple(place_elements(script.elements, written, spoken, matches)),
        tuple(speak_lines(script.elements, written, spoken, matches)),
    )
