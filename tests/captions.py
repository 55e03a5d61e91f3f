"""What a reader of captions collected, for the tests of each format."""

from __future__ import annotations

from sayso.core.errors import SubtitleError
from sayso.core.types import Caption
from sayso.text.captions.collector import CaptionCollector


def found(collector: CaptionCollector, problems: list[SubtitleError] | None = None) -> list[Caption]:
    """Return the captions; the problems go to ``problems``, and the first is raised without it."""
    if problems is None and collector.problems:
        raise collector.problems[0]
    if problems is not None:
        problems += collector.problems
    return collector.captions()
