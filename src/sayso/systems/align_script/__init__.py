"""A screenplay gets its times from subtitles, and the subtitles get their speakers from the screenplay.

A script says who speaks and what happens, but not when; subtitles say when, but
not who. Their words are the same but for cuts, improvisation and mishearing, so
the best monotone alignment of the words (``solvers.align_words``) carries times one
way and names the other [1, 2]. A description between two speeches happens between
the end of the one and the start of the other [2]; how many of the words around it
were found says how far to trust it [2]. That is supervision at no cost: faces get
names, actions get intervals.

    alignment/words.py           the words of both sides, with their times
    alignment/matching.py        pairs of words that hold: the alignment, moved scenes, pairs by mere chance
    alignment/speakers.py        who speaks each line
    alignment/timing.py          when each element of the script happens
    alignment/clock.py           subtitles of another frame rate or another cut
    alignment/placing.py         each line at its place, or at none
    alignment/action_classes.py  which actions the descriptions mention
    alignment/align.py           the alignment of a screenplay and captions
    pipeline.py                  from files to a result: ``run``

Sources
    [1] Everingham, Sivic, Zisserman, "Hello! My name is... Buffy", BMVC 2006, section 2.
    [2] Laptev, Marszalek, Schmid, Rozenfeld, CVPR 2008, section 2; Marszalek et al., CVPR 2009.
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.systems.align_script.pipeline import AlignOptions, AlignResult, run
else:
    __getattr__ = exports(
        __name__,
        {
            "AlignOptions": "sayso.systems.align_script.pipeline",
            "AlignResult": "sayso.systems.align_script.pipeline",
            "run": "sayso.systems.align_script.pipeline",
        },
    )

__all__ = ["AlignOptions", "AlignResult", "run"]
