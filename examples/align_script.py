"""A screenplay and subtitles of one film: who says what when, and what happens when.

python examples/align_script.py
"""

from __future__ import annotations

from sayso.core.types import Caption, Span
from sayso.systems.align_script import align_script
from sayso.text import parse_screenplay
from sayso.text.language.actions import verb_objects

SCRIPT = """
INT. KITCHEN - DAY

BOB
Did you see the garden this morning, my dear?

Alice opens the window.

ALICE
No. I was asleep until eleven o'clock.
"""
SUBTITLES = [
    Caption(Span(10, 12), "Did you see the garden this morning, dear?"),
    Caption(Span(15, 18), "No. I was asleep till 11 o'clock."),
]

if __name__ == "__main__":
    aligned = align_script(parse_screenplay(SCRIPT), SUBTITLES)
    for row in aligned.rows():
        print(row)
    for placed in aligned.elements:
        if placed.element.kind == "description" and placed.span is not None:
            for action in verb_objects(placed.element.text):
                print(f"{placed.span.start:g} to {placed.span.end:g} s: {action.phrase}")
