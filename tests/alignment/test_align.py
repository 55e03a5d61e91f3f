"""A script and subtitles of one film find each other, and what has no counterpart is said to have none."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.alignment import (
    ActionWords,
    Clock,
    actions_by_meaning,
    actions_by_pattern,
    align_script,
    fit_clock,
    place_lines,
)
from sayso.core.errors import SaysoError
from sayso.core.types import Caption, Span
from sayso.text import parse_screenplay
from sayso.text.screenplay.elements import Element, Screenplay

SCRIPT = parse_screenplay("""\
INT. KITCHEN - DAY

BOB pours a glass of wine.

BOB
Did you see the garden this morning, my dear?

ALICE
No. I was asleep until eleven o'clock.

Bob sits down. He opens the newspaper.

BOB
Then you missed 21 of the finest roses in England.

INT. HALL - DAY

ALICE
This speech was cut from the finished picture entirely.
""")
CAPTIONS = [
    Caption(Span(10, 12), "Did you see the garden\nthis morning?"),
    Caption(Span(13, 16), "- No.\n- I was sleeping till 11 o'clock."),
    Caption(Span(20, 24), "Then you missed twenty-one\nof the finest roses in England."),
    Caption(Span(30, 31), "[DOOR SLAMS]"),
    Caption(Span(40, 42), "Look, a zebra!"),
]


def test_words_without_a_pair_tell_who_speaks_at_their_place():
    """A line in which no word is as written is spoken by who has the words between its neighbours."""
    tail = "walks along the river in the evening light"
    for who in ("ALICE", "BOB", "CAROL"):
        speeches = [("BOB", f"Every morning the old man {tail}"), (who, "Aye aye aye")]
        speeches += [("ALICE", f"And then his daughter {tail}"), ("CAROL", f"So nobody ever {tail}")]
        script = Screenplay(tuple(Element("dialogue", t, n, w) for n, (w, t) in enumerate(speeches)))
        heard = [speeches[0][1], "Zzz zzz", speeches[2][1], speeches[3][1]]
        captions = [Caption(Span(4 * n, 4 * n + 3), text) for n, text in enumerate(heard)]
        lines = align_script(script, captions).lines
        assert [line.speaker for line in lines] == ["BOB", who, "ALICE", "CAROL"]
        assert lines[1].confidence == 0.5 and lines[1].matched == 0


def test_who_says_what_when():
    aligned = align_script(SCRIPT, CAPTIONS)
    assert [line.speaker for line in aligned.lines[:6]] == ["BOB", "BOB", "ALICE", "ALICE", "BOB", "BOB"]
    placed = {item.element.text[:8]: item for item in aligned.elements}
    assert placed["Did you "].span == Span(10, 12)
    assert placed["Bob sits"].span == Span(16, 20)
    assert placed["INT. KIT"].span == Span(10, 24)
    assert placed["Then you"].confidence == 1.0
    assert placed["Bob sits"].confidence > 0.5


def test_what_was_cut_or_improvised_is_not_guessed():
    aligned = align_script(SCRIPT, CAPTIONS)
    assert [item.element.text[:11] for item in aligned.unplaced] == ["This speech"]
    assert [line.text for line in aligned.improvised] == ["Look, a zebra!"]
    rows = list(aligned.rows())
    assert rows[-1]["start_s"] is rows[-1]["end_s"] is None
    assert set(rows[0]) == {"kind", "speaker", "text", "start_s", "end_s", "score"}


def test_captions_come_back_with_speakers_one_speaker_each():
    captions = align_script(SCRIPT, CAPTIONS).captions()
    assert captions[0] == Caption(Span(10, 12), "Did you see the garden\nthis morning?", "BOB")
    both = parse_screenplay(
        "A: Where have you been all this time?\nB: At home with the children and the dog.\n"
    )
    two = [Caption(Span(0, 4), "- Where have you been all this time?\n- At home with the children.")]
    found = align_script(both, two).captions()
    assert [(caption.speaker, caption.text) for caption in found] == [
        ("A", "Where have you been all this time?"),
        ("B", "At home with the children."),
    ]
    assert 0 == found[0].span.start < found[0].span.end <= found[1].span.start < found[1].span.end == 4


def film(scenes=8, speeches=12, seed=0):
    """A drawn film: its elements, and captions in the same order, one a speech, three seconds each."""
    rng = random.Random(seed)
    words = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrst"]
    elements = []
    for scene in range(scenes):
        elements.append(Element("heading", f"INT. PLACE {scene} - DAY", len(elements)))
        for _ in range(speeches):
            text = " ".join(rng.choices(words, k=rng.randrange(3, 12)))
            elements.append(Element("dialogue", text, len(elements), rng.choice("ABC")))
    speech = [element for element in elements if element.kind == "dialogue"]
    captions = [Caption(Span(3.0 * k, 3.0 * k + 2), element.text) for k, element in enumerate(speech)]
    return elements, captions, [element.speaker for element in speech]


def test_scenes_in_another_order_are_found():
    elements, captions, speakers = film()
    parts = [elements[k : k + 13] for k in range(0, len(elements), 13)]
    parts[2], parts[5] = parts[5], parts[2]
    swapped = [element for part in parts for element in part]
    aligned = align_script(Screenplay(tuple(swapped)), captions)
    assert [line.speaker for line in aligned.lines] == speakers
    assert not aligned.unplaced
    assert len(aligned.moved) == 24
    for item in aligned.elements:
        if item.element.kind == "dialogue":
            (match,) = [caption for caption in captions if caption.text == item.element.text]
            assert item.span.overlap(match.span) > 1.9


def test_a_missing_scene_stays_missing_and_leaves_the_rest():
    elements, captions, speakers = film(seed=1)
    aligned = align_script(Screenplay(tuple(elements)), captions[:24] + captions[48:])
    assert {item.element.line for item in aligned.unplaced} == {
        element.line for element in elements[26:52] if element.kind == "dialogue"
    }
    assert [line.speaker for line in aligned.lines] == speakers[:24] + speakers[48:]


def test_lines_of_nobody_take_turns():
    """Who says "Yes." is not in the script: a dash changes the speaker, a sentence that goes on keeps it."""
    made = [
        Element("dialogue", "one two three four five six", 1, "A"),
        Element("dialogue", "seven eight nine ten eleven twelve", 2, "B"),
        Element("dialogue", "red green blue yellow black white", 3, "A"),
    ]
    said = [
        "one two three four five six",
        "seven eight nine ten eleven twelve",
        "- Yes.\n- Sure, but...",
        "...no.",
    ]
    captions = [Caption(Span(k, k + 1), text) for k, text in enumerate([*said, made[2].text])]
    lines = align_script(Screenplay(tuple(made)), captions).lines
    assert [line.speaker for line in lines] == ["A", "B", "A", "B", "B", "A"]
    assert [line.confidence <= 0.5 for line in lines] == [False, False, True, True, True, False]


def test_a_label_for_nobody_is_no_name():
    made = parse_screenplay(
        "ANN: one two three four five six\nUNIDENTIFIED: seven eight nine ten eleven\nN/A: ten two\n"
    )
    said = [Caption(Span(k, k + 1), element.text) for k, element in enumerate(made.elements)]
    assert {line.speaker for line in align_script(made, said).lines} == {"ANN"}


def test_pal_speed_and_an_offset_are_put_right():
    _, captions, _ = film()
    rate = 23.976 / 25
    shifted = [replace(c, span=Span(c.span.start * rate + 7.5, c.span.end * rate + 7.5)) for c in captions]
    clock = fit_clock(shifted, captions[10:60])
    assert clock.rate == 25 / 23.976
    assert clock.offset_s == pytest.approx(-7.5 * clock.rate, abs=1e-6)
    back = place_lines(shifted, captions[10:60], clock).captions
    assert max(abs(a.span.start - b.span.start) for a, b in zip(back, captions, strict=True)) < 1e-6
    with pytest.raises(SaysoError, match="share too few words"):
        fit_clock(captions, [Caption(Span(0, 1), "nothing here")])
    assert Clock(offset_s=-3).span(captions[0].span).start == 0


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=200) | st.text(alphabet="AB a:\n.()", max_size=200),
    st.lists(st.text(alphabet="AB a:\n.-()", max_size=30) | st.text(max_size=30), max_size=8),
)
def test_any_text_with_any_subtitles(script, said):
    captions = [Caption(Span(k, k + 1), text) for k, text in enumerate(said)]
    screenplay = parse_screenplay(script)
    aligned = align_script(screenplay, captions)
    assert [item.element for item in aligned.elements] == list(screenplay.elements)
    assert all(0 <= item.confidence <= 1 + 1e-9 for item in (*aligned.elements, *aligned.lines))
    in_order = [
        item.span
        for item in aligned.elements
        if item.span and item.element.kind == "dialogue" and not item.moved
    ]
    assert in_order == sorted(in_order)
    assert all(0 <= span.start <= span.end <= len(said) for span in in_order)


def test_actions_three_ways():
    texts = ["He opens the door.", "She drinks wine.", "They kiss.", "Bob opened a door slowly."]
    labels = [["open"], ["drink"], ["kiss"], ["open"]]
    assert actions_by_pattern(texts, {"open": r"\bopen(s|ed|ing)?\b", "drink": "drink"}) == [
        ["open"], ["drink"], [], ["open"],
    ]  # fmt: skip
    with pytest.raises(SaysoError, match="no regular expression"):
        actions_by_pattern(texts, {"x": "("})
    model = ActionWords().fit(texts, labels)
    assert [model.classes[k] for k in model.predict(texts).argmax(axis=1)] == [
        "open",
        "drink",
        "kiss",
        "open",
    ]

    def letters(phrases):
        return np.array(
            [[phrase.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for phrase in phrases]
        )

    found = actions_by_meaning(texts, ["open door", "drink wine"], letters, least=0.95)
    assert [list(names) for names in found] == [["open door"], ["drink wine"], [], ["open door"]]


def test_the_classifier_minimises_its_objective():
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(["run", "walk", "sit", "dog"], 4)) for _ in range(40)]
    labels = [["move"] if "run" in text or rng.random() < 0.2 else [] for text in texts]
    model = ActionWords(l2=1e-2).fit(texts, labels)
    x, y = model._features(texts), np.array([1.0 if names else -1.0 for names in labels])

    def objective(w):
        return np.log1p(np.exp(-y * (x @ w))).mean() + 0.5e-2 * (w[:-1] ** 2).sum()

    best = objective(model.weight[:, 0])
    steps = 1e-3 * rng.standard_normal((200, x.shape[1]))
    assert all(objective(model.weight[:, 0] + step) > best - 1e-9 for step in steps)
