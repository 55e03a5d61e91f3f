"""Brackets of a transcript: what happens, and how something is said."""

from __future__ import annotations

import pytest

from sayso.text import parse_screenplay


def told(text):
    return [(one.kind, one.text) for one in parse_screenplay(text).elements]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("(Penny enters.)", "Penny enters."),
        ("[Penny enters.]", "Penny enters."),
        ("Penny enters.", "Penny enters."),
        ("(Penny) enters (slowly)", "(Penny) enters (slowly)"),
        ("(Penny enters]", "(Penny enters]"),
        ("( )", "( )"),
    ],
)
def test_brackets_around_a_whole_line_go(line, shown):
    assert told(f"{line}\n\nAnn: Yes.\nBo: No.\n")[0] == ("description", shown)


@pytest.mark.parametrize(
    ("words", "pieces"),
    [
        ("(low) No.", ["(low)", "No."]),
        ("No [sighs] and (low) yes", ["No", "[sighs]", "and", "(low)", "yes"]),
        ("No (low) and [sighs]", ["No", "(low)", "and", "[sighs]"]),
        ("No (low and so on [sighs]", ["No (low and so on [sighs]"]),
        ("[a (b] c)", ["[a (b]", "c)"]),
    ],
)
def test_a_speech_is_cut_at_its_brackets(words, pieces):
    found = told(f"Bo: Yes.\nAnn: {words}\n")[1:]
    assert [text for _, text in found] == pieces
    kinds = ["parenthetical" if text[-1] in ")]" and text[0] in "([" else "dialogue" for text in pieces]
    assert [kind for kind, _ in found] == kinds
