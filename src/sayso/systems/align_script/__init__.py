"""A screenplay gets its times from subtitles, and the subtitles get their speakers from the screenplay.

A script says who speaks and what happens, but not when; subtitles say when, but
not who. Their words are the same but for cuts, improvisation and mishearing, so
the best monotone alignment of the words (``solvers.align_words``) carries times one
way and names the other [1, 2]. A description between two speeches happens between
the end of the one and the start of the other [2]; how many of the words around it
were found says how far to trust it [2]. That is supervision at no cost: faces get
names, actions get intervals.

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
    pipeline.py        from files to a result: ``run``

Sources
    [1] Everingham, Sivic, Zisserman, "Hello! My name is... Buffy", BMVC 2006, section 2.
    [2] Laptev, Marszalek, Schmid, Rozenfeld, CVPR 2008, section 2; Marszalek et al., CVPR 2009.
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.systems.align_script.action_classes import ActionMatcher, action_matcher
    from sayso.systems.align_script.actions import ActionWords, actions_by_meaning, actions_by_pattern
    from sayso.systems.align_script.align import AlignedScript, align_script
    from sayso.systems.align_script.clock import Clock, fit_clock
    from sayso.systems.align_script.lines import SpokenLine
    from sayso.systems.align_script.pipeline import AlignOptions, AlignResult, output_paths, run
    from sayso.systems.align_script.placing import PlacedLines, place_lines
    from sayso.systems.align_script.timing import TimedElement
else:
    __getattr__ = exports(
        __name__,
        {
            "ActionMatcher": "sayso.systems.align_script.action_classes",
            "ActionWords": "sayso.systems.align_script.actions",
            "AlignOptions": "sayso.systems.align_script.pipeline",
            "AlignResult": "sayso.systems.align_script.pipeline",
            "AlignedScript": "sayso.systems.align_script.align",
            "Clock": "sayso.systems.align_script.clock",
            "PlacedLines": "sayso.systems.align_script.placing",
            "SpokenLine": "sayso.systems.align_script.lines",
            "TimedElement": "sayso.systems.align_script.timing",
            "action_matcher": "sayso.systems.align_script.action_classes",
            "actions_by_meaning": "sayso.systems.align_script.actions",
            "actions_by_pattern": "sayso.systems.align_script.actions",
            "align_script": "sayso.systems.align_script.align",
            "fit_clock": "sayso.systems.align_script.clock",
            "output_paths": "sayso.systems.align_script.pipeline",
            "place_lines": "sayso.systems.align_script.placing",
            "run": "sayso.systems.align_script.pipeline",
        },
    )

__all__ = [
    "ActionMatcher",
    "ActionWords",
    "AlignOptions",
    "AlignResult",
    "AlignedScript",
    "Clock",
    "PlacedLines",
    "SpokenLine",
    "TimedElement",
    "action_matcher",
    "actions_by_meaning",
    "actions_by_pattern",
    "align_script",
    "fit_clock",
    "output_paths",
    "place_lines",
    "run",
]
