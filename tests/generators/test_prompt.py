"""Prompts: exchanges of pictures and words, spelled as the published templates and as chat messages."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sayso.core.errors import SaysoError
from sayso.generators import Decoding, Exchange, Prompt
from sayso.generators.base import candidates_of
from sayso.generators.prompt import BRIEFLY, CAPTION_REQUEST, as_messages, spell

A, B, C = (np.full((4, 5, 3), value, np.uint8) for value in (1, 2, 3))
CLIP = np.stack([A, B])


def test_captions_and_answers_are_spelled_as_published():
    shots = [Exchange("", (A,), "a cat"), Exchange("", (B,), "a dog")]
    assert (
        spell(Prompt.ask("", [C], shots=shots))
        == "<image>Output:a cat<|endofchunk|>\n<image>Output:a dog<|endofchunk|>\n<image>Output:"
    )
    asked = [Exchange("what is it?", (A,), "cat")]
    assert (
        spell(Prompt.ask("how many?", [B], shots=asked))
        == "<image>Question:what is it? Short answer:cat<|endofchunk|>\n"
        "<image>Question:how many? Short answer:"
    )
    plain = Prompt.ask(
        "Is it? Answer:", [B], shots=[Exchange("Is it? Answer:", (A,), "no")], template="plain"
    )
    assert spell(plain) == "<image>Is it? Answer:no<|endofchunk|><image>Is it? Answer:"
    assert spell(plain, lead=" ").startswith("<image>Is it? Answer: no<|")


def test_markers_say_where_pictures_stand():
    first = Exchange("here <image> and there <image> what?", (A, B))
    assert spell(Prompt((first,), "plain")) == "here <image> and there <image> what?"
    assert spell(Prompt((first,))) == "here <image> and there <image>Question: what? Short answer:"
    prompt = Prompt.ask("what?", [A, B])
    assert spell(prompt) == "<image><image>Question:what? Short answer:"
    assert [int(picture[0, 0, 0]) for picture in prompt.pictures] == [1, 2]


@pytest.mark.parametrize(
    ("text", "pictures"), [("<image>", ()), ("<image> <image>", (A,)), ("<image>", (A, B))]
)
def test_markers_and_pictures_must_match(text, pictures):
    with pytest.raises(
        SaysoError, match=rf"{text.count('<image>')} <image> markers .* {len(pictures)} pictures"
    ):
        Exchange(text, pictures)


def test_a_dialogue_goes_on():
    prompt = Prompt.ask("what is it?", [A]).then("a cat", "what colour?").then("red", "and this?", [B])
    assert [exchange.answer for exchange in prompt.exchanges] == ["a cat", "red", None]
    assert [len(exchange.pictures) for exchange in prompt.exchanges] == [1, 0, 1]
    messages = as_messages(prompt)
    assert [message["role"] for message in messages] == ["user", "assistant", "user", "assistant", "user"]
    assert messages[0]["content"] == [{"type": "image"}, {"type": "text", "text": "what is it?"}]
    assert messages[1]["content"] == [{"type": "text", "text": "a cat"}]


def test_chat_models_are_asked_in_words_for_captions_and_short_answers():
    assert as_messages(Prompt.ask("", [A]))[0]["content"][-1]["text"] == CAPTION_REQUEST
    assert as_messages(Prompt.ask("how many?", [A], template="vqa"))[0]["content"][-1]["text"] == BRIEFLY
    assert as_messages(Prompt.ask("how many?", [A]))[0]["content"][-1]["text"] == "how many?"


def test_a_clip_is_its_frames_for_chat_models_and_one_marker_for_flamingo():
    prompt = Prompt.ask("what happens?", [CLIP])
    assert [part["type"] for part in as_messages(prompt)[0]["content"]] == ["image", "image", "text"]
    assert spell(prompt).count("<image>") == 1
    assert prompt.pictures[0].shape == (2, 4, 5, 3)


def test_pillow_images_become_pixels():
    assert Exchange("", (Image.new("L", (7, 3)),)).pictures[0].shape == (3, 7, 3)


@pytest.mark.parametrize(
    "exchanges",
    [(), (Exchange("a", answer="b"),), (Exchange("a"), Exchange("b"))],
    ids=["none", "told", "open"],
)
def test_only_the_last_exchange_is_without_an_answer(exchanges):
    with pytest.raises(SaysoError, match="exchanges with answers"):
        Prompt(exchanges)


def test_no_pictures_and_unknown_templates_are_refused():
    with pytest.raises(SaysoError, match="must be"):
        Prompt.ask("what?", ["x.jpg"])
    with pytest.raises(SaysoError, match="one frame"):
        Exchange("", (np.empty((0, 4, 4, 3), np.uint8),))
    with pytest.raises(SaysoError, match="there are caption, vqa, plain"):
        Prompt.ask("what?", template="chat")


def test_answers_are_cut_and_candidates_counted():
    assert Decoding(stop=("Output", "\n")).cut(" a cat\nOutput: b") == "a cat"
    with pytest.raises(SaysoError, match="1 or more"):
        Decoding(beams=0)
    assert candidates_of(["yes", "no"], 2) == [("yes", "no")] * 2
    assert candidates_of([["a"], ["b"]], 2) == [("a",), ("b",)]
    for wrong in ("yes", [], [["a"]], [["a"], ["b", "c"]]):
        with pytest.raises(SaysoError, match="candidates"):
            candidates_of(wrong, 2)
