"""The words of a screenplay and of subtitles find each other: times one way, speakers the other.

What the systems ``align_script`` and ``name_actors`` stand on.

    words.py           the words of both sides, with their times
    matching.py        pairs of words that hold: the alignment, moved scenes, pairs by mere chance
    lines.py           a line of a subtitle
    speakers.py        who speaks each line
    timing.py          when each element of the script happens
    clock.py           subtitles of another frame rate or another cut
    pieces.py          offsets that step
    breaks.py          where an offset gives way to the next
    placing.py         each line at its place, or at none
    actions.py         which actions the descriptions mention
    action_classes.py  the classes, by name or by a file
    align.py           the alignment of a screenplay and captions
    files.py           the same from their files
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.alignment.action_classes import ActionMatcher, action_matcher
    from sayso.alignment.actions import ActionWords, actions_by_meaning, actions_by_pattern
    from sayso.alignment.align import AlignedScript, align_script
    from sayso.alignment.clock import Clock, fit_clock
    from sayso.alignment.files import align_files
    from sayso.alignment.lines import SpokenLine
    from sayso.alignment.placing import PlacedLines, place_lines
    from sayso.alignment.timing import TimedElement
else:
    __getattr__ = exports(
        __name__,
        {
            "ActionMatcher": "sayso.alignment.action_classes",
            "ActionWords": "sayso.alignment.actions",
            "AlignedScript": "sayso.alignment.align",
            "Clock": "sayso.alignment.clock",
            "PlacedLines": "sayso.alignment.placing",
            "SpokenLine": "sayso.alignment.lines",
            "TimedElement": "sayso.alignment.timing",
            "action_matcher": "sayso.alignment.action_classes",
            "actions_by_meaning": "sayso.alignment.actions",
            "actions_by_pattern": "sayso.alignment.actions",
            "align_files": "sayso.alignment.files",
            "align_script": "sayso.alignment.align",
            "fit_clock": "sayso.alignment.clock",
            "place_lines": "sayso.alignment.placing",
        },
    )

__all__ = [
    "ActionMatcher",
    "ActionWords",
    "AlignedScript",
    "Clock",
    "PlacedLines",
    "SpokenLine",
    "TimedElement",
    "action_matcher",
    "actions_by_meaning",
    "actions_by_pattern",
    "align_files",
    "align_script",
    "fit_clock",
    "place_lines",
]
