"""A screenplay gets its times from subtitles, and the subtitles get their speakers from the screenplay.

A script says who speaks and what happens, but not when; subtitles say when, but
not who. Their words are the same but for cuts, improvisation and mishearing, so
the best monotone alignment of the words (``solvers.align_words``) carries times one
way and names the other [1, 2]. A description between two speeches happens between
the end of the one and the start of the other [2]; how many of the words around it
were found says how far to trust it [2]. That is supervision at no cost: faces get
names, actions get intervals.

    words.py      the words of both sides, with who says them and when
    matching.py   pairs of words that hold: the alignment, what moved, what is mere chance
    speakers.py   who speaks each line of a subtitle
    timing.py     when each element of the script happens
    clock.py      subtitles of another frame rate or with an offset
    actions.py    which actions the descriptions tell of

Sources
    [1] Everingham, Sivic, Zisserman, "Hello! My name is... Buffy", BMVC 2006, section 2.
    [2] Laptev, Marszalek, Schmid, Rozenfeld, CVPR 2008, section 2; Marszalek et al., CVPR 2009.
"""

from sayso.core.lazy import exports

__getattr__ = exports(
    __name__,
    {
        "ActionWords": "sayso.systems.align_script.actions",
        "AlignedScript": "sayso.systems.align_script.align",
        "Clock": "sayso.systems.align_script.clock",
        "Line": "sayso.systems.align_script.speakers",
        "Placed": "sayso.systems.align_script.timing",
        "actions_by_meaning": "sayso.systems.align_script.actions",
        "actions_by_pattern": "sayso.systems.align_script.actions",
        "align_script": "sayso.systems.align_script.align",
        "fit_clock": "sayso.systems.align_script.clock",
    },
)

__all__ = [
    "ActionWords",
    "AlignedScript",
    "Clock",
    "Line",
    "Placed",
    "actions_by_meaning",
    "actions_by_pattern",
    "align_script",
    "fit_clock",
]
