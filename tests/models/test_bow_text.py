"""Captions: words are numbered as published, padding takes part in the maximum, vectors stay frozen."""

from __future__ import annotations

import re

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from sayso.models import SentenceNet, WordTokenizer

WORDS = ["cut", "the", "don't", "onion", "Cut", "7"]


def test_numbers_are_positions_from_one():
    tokens = WordTokenizer(WORDS, 4)(["the onion, please", "", "don't-cut 7 the Cut"])
    assert tokens.tolist() == [[2, 4, 0, 0], [0, 0, 0, 0], [3, 1, 6, 2]]
    assert tokens.dtype == torch.int64


def test_words_are_taken_as_they_stand_unless_lowered():
    assert WordTokenizer(["onion"])(["Onion"])[0, 0] == 0
    assert WordTokenizer(["onion"], lower=True)(["Onion"])[0, 0] == 1


@given(st.lists(st.text(alphabet="cuthe don'Ct7,é", max_size=60), max_size=4), st.integers(1, 20))
def test_equals_the_public_pattern(texts, length):
    table = {word: i + 1 for i, word in enumerate(WORDS)}
    for row, text in zip(WordTokenizer(WORDS, length)(texts), texts, strict=True):
        known = [table[w] for w in re.findall(r"[\w']+", text) if w in table][:length]
        assert row.tolist() == known + [0] * (length - len(known))


def test_net_equals_a_loop_over_words():
    torch.manual_seed(0)
    net = SentenceNet(torch.randn(7, 5), 3, hidden=11)
    words = torch.randint(0, 7, (2, 4, 6))  # bags of four captions
    w = {key: value.double().numpy() for key, value in net.state_dict().items()}
    found = net(words).detach().numpy()
    for place in np.ndindex(2, 4):
        layer = [
            np.maximum(w["fc1.weight"] @ w["word_embd.weight"][n] + w["fc1.bias"], 0)
            for n in words[place].tolist()
        ]
        expected = w["fc2.weight"] @ np.max(layer, 0) + w["fc2.bias"]
        np.testing.assert_allclose(found[place], expected, rtol=1e-4, atol=1e-5)


def test_padding_takes_part_in_the_maximum():
    vectors = torch.tensor([[10.0], [1.0]])
    net = SentenceNet(vectors, 2, hidden=3)
    torch.nn.init.ones_(net.fc1.weight)
    assert not torch.equal(net(torch.tensor([[1, 0]])), net(torch.tensor([[1, 1]])))


def test_word_vectors_are_frozen_and_the_rest_learns():
    net = SentenceNet(torch.randn(4, 5), 3, hidden=6)
    net(torch.tensor([[1, 2]])).sum().backward()
    assert {n for n, p in net.named_parameters() if p.requires_grad} == {
        "fc1.weight",
        "fc1.bias",
        "fc2.weight",
        "fc2.bias",
    }
    assert net.word_embd.weight.grad is None
