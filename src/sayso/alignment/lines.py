"""A line of a subtitle and who speaks it."""

from __future__ import annotations

from dataclasses import dataclass

from sayso.core.types import Span


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """One line of a caption, which one person speaks.

    A caption holds one line or more; each has its share of the caption's time.

    Args:
        text: the words, without labels and descriptions of sound.
        span: when it is spoken.
        caption: number of the caption, from 0.
        speaker: who speaks; None where nobody was found.
        confidence: of the speaker, 0 to 1.
        matched: share of the line's words that are found in the script; 0 for an improvised line.
        element: number of the script's element that the line comes from.
    """

    text: str
    span: Span
    caption: int
    speaker: str | None = None
    confidence: float = 0.0
    matched: float = 0.0
    element: int | None = None

    @property
    def begins_turn(self) -> bool:
        """Whether a dash or an arrow marks another speaker."""
        return self.text.startswith(("-", "–", "—", ">>"))

    def to_dict(self) -> dict[str, object]:
        """Return the fields, ready for JSON; ``element`` counts the script's elements from 0."""
        return {
            "text": self.text,
            "speaker": self.speaker,
            "start_s": round(self.span.start, 3),
            "end_s": round(self.span.end, 3),
            "score": round(self.confidence, 3),
            "matched": round(self.matched, 3),
            "element": self.element,
        }
