"""What a narration says is done, and when."""

from __future__ import annotations

import numpy as np
import pytest

from sayso.core.types import Caption, Span
from sayso.text.language.narration import Mention, mentions, narrated_sentences, singular
from sayso.text.language.phrases import commonest, phrase_likeness, synonyms


def said(*texts: str, seconds: float = 10.0) -> list[Caption]:
    return [Caption(Span(n * seconds, (n + 1) * seconds), text) for n, text in enumerate(texts)]


@pytest.fixture(scope="module")
def parser():
    pytest.importorskip("spacy")
    from sayso.text.language.actions import load_parser

    return load_parser()


CASES = {
    "Next, take off the wheel, tighten the bolts and lower the car.": "take wheel, tighten bolt, lower car",
    "Add 3.5 cups of water to the pot and bring it to a boil.": "add water",
    "Slice the onions thinly; I'm pouring milk.": "slice onion, pour milk",
    "once the car is up remove the nuts lift the tire off": "remove nut, lift tire",
    "let me know what you think in the comments": "",
    "I learned this from my grandmother": "",
    "you want to loosen the lug nuts": "loosen nut",
    "sift the flour and baking powder": "sift flour",
    "Heat the cooking oil, then fry the onions.": "heat oil, fry onion",
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_rules_and_parser_find_the_same_pairs(text, expected, parser):
    assert ", ".join(m.phrase for m in mentions(said(text))) == expected
    assert ", ".join(m.phrase for m in mentions(said(text), parser)) == expected


def test_speech_without_full_stops_is_read_across_captions():
    captions = said("so now we're gonna loosen", "the nuts then jack", "up the car")
    assert [m.phrase for m in mentions(captions)] == ["loosen nut", "jack car"]


def test_a_pair_is_timed_where_its_words_stand():
    [first, second] = mentions(said("x" * 40 + " now glue the wood", "and here we sand the wood"))
    assert (first.phrase, second.phrase) == ("glue wood", "sand wood")
    assert 7 < first.span.start < first.span.end <= 10
    assert second.span.start == pytest.approx(10 + 10 * 12 / 25, abs=0.5)
    assert second.span.end == pytest.approx(20, abs=0.5)


def test_a_line_of_chatter_does_not_end_in_a_verb():
    captions = said("invert the black ring", "the weather is lovely today", "my dog is here again")
    assert [m.phrase for m in mentions(captions)] == ["invert ring"]


def test_sentences_run_over_captions_but_not_over_pauses_or_speakers():
    captions = [
        Caption(Span(0, 2), "Take the"),
        Caption(Span(2, 4), "drill. [Music] Then"),
        Caption(Span(4, 6), "drill a hole"),
        Caption(Span(30, 32), "done"),
        Caption(Span(32, 33), "thanks", "Ann"),
    ]
    sentences = narrated_sentences(captions)
    assert [s.text for s in sentences] == ["Take the drill.", "Then drill a hole", "done", "thanks"]
    assert sentences[0].span.start == 0
    assert 2 < sentences[0].span.end < 4
    assert sentences[1].span.end == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("nuts", "nut"),
        ("boxes", "box"),
        ("berries", "berry"),
        ("glass", "glass"),
        ("knives", "knife"),
        ("tomatoes", "tomato"),
    ],
)
def test_singulars(plural, one):
    assert singular(plural) == one


def test_empty_and_wordless_captions_say_nothing():
    assert mentions([]) == []
    assert mentions(said("", "[Music]", "...")) == []
    assert narrated_sentences(said("[Applause]")) == []


def told(*phrases: str) -> list[Mention]:
    return [Mention(*phrase.split(), Span(n, n + 1), phrase) for n, phrase in enumerate(phrases)]


def test_the_commonest_pairs_count_once_a_video_and_are_said_twice():
    videos = [
        told("add salt", "add salt", "cut ham"),
        told("cut ham"),
        told("add salt", "cut ham"),
        told("eat it"),
    ]
    assert commonest(videos) == [("cut", "ham"), ("add", "salt")]
    assert commonest(videos, 1) == [("cut", "ham")]


def test_phrases_that_share_a_word_are_one_step_only_if_never_told_together():
    pairs = [("loosen", "nut"), ("tighten", "nut"), ("unscrew", "nut"), ("add", "oil")]
    videos = [pairs[:2]] * 6 + [pairs[1:3]] * 6 + [[pairs[3]]] * 6
    likeness = phrase_likeness(pairs, videos)
    assert likeness.diagonal().tolist() == [1, 1, 1, 1]
    assert (likeness == likeness.T).all()
    assert likeness[0, 1] == 0  # told together six times
    assert likeness[0, 2] == 0.5  # expected twice, never together
    assert likeness[0, 3] == 0


def test_a_word_said_of_everything_tells_nothing():
    pairs = [("add", f"thing{n}") for n in range(8)]
    assert (phrase_likeness(pairs, [[pair] for pair in pairs] * 3) == np.eye(8)).all()


def test_synonyms_are_near_in_the_embedding():
    table = {"cup": (1, 0), "mug": (0.9, 0.4), "fish": (0, 1)}

    def embed(words):
        return np.array([table[word] for word in words], dtype=np.float32)

    near = synonyms(["cup", "mug", "fish"], embed)
    assert near.tolist() == [[True, True, False], [True, True, False], [False, False, True]]
    assert synonyms(["cup", "mug"], None).tolist() == [[True, False], [False, True]]
