"""Names are found as MetaCLIP finds them, and balancing keeps the share that it promises."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.data.alt_text.names import NameMatcher, is_kept, keep_shares, read_names


def published(text: str, names: list[str]) -> list[int]:
    """The definition: `` name `` is a part of the text once spaces stand around some marks."""
    text = f" {text} "
    for mark in [",", ".", ";", ":", "?", "!", "`"]:
        text = text.replace(mark, f" {mark} ")
    for gap in ["\t", "\n", "\r"]:
        text = text.replace(gap, " ")
    return [number for number, name in enumerate(names) if f" {name} " in text]


def test_names_are_found_as_by_the_definition():
    rng = random.Random(0)
    words = ["a", "red", "Red", "car", "New", "York", ",", ".", "  ", "\t", "e.g.", "it's", "-", "café", "!"]
    words.append("\n")
    names = ["a", "red", "red car", "New York", "York", "car .", "it's", "e.g.", "red  car", "café", ","]
    names += [" ".join(rng.choices(words, k=rng.randint(1, 4))) for _ in range(200)]
    names = list(dict.fromkeys(names))
    matcher = NameMatcher(names)
    assert matcher.names == names
    texts = [
        rng.choice(["", " ", "", ""]).join(
            part + rng.choice([" ", "", " "]) for part in rng.choices(words, k=rng.randint(0, 9))
        )
        for _ in range(3000)
    ]
    for text, found in zip(texts, matcher.find(texts), strict=True):
        assert found == published(text, names), repr(text)
    assert matcher.find(texts[:1]) == [published(texts[0], names)]


def test_a_name_is_found_in_one_text_and_not_across_two():
    names = ["end start", "start", "end \n start", "\n", "a\tb", "start middle end"]
    matcher = NameMatcher(names)
    assert matcher.find(["the end", "start of it", "", "end\nstart", "a\tb"]) == [[], [1], [], [0, 1], []]
    assert matcher.find([]) == []
    assert NameMatcher([]).find(["start", ""]) == [[], []]
    assert NameMatcher(["\n"]).find(["a", "b"]) == [[], []]


def test_the_share_of_a_frequent_name_is_t_of_its_texts():
    rng = np.random.default_rng(0)
    texts = ["a dog" if rng.random() < 0.9 else "a dog and an axolotl" for _ in range(20_000)]
    texts += ["nothing of it"]
    matcher = NameMatcher(["dog", "axolotl"])
    found = matcher.find(texts)
    counts = np.bincount(np.concatenate([np.array(one, int) for one in found]), minlength=2)
    shares = keep_shares(counts, 2_500)
    assert shares.tolist() == [2_500 / 20_000, 1.0]
    kept = [is_kept(one, shares, row, seed=3) for row, one in enumerate(found)]
    rare = [row for row, one in enumerate(found) if one == [0, 1]]
    common = [row for row, one in enumerate(found) if one == [0]]
    assert all(kept[row] for row in rare)
    assert abs(np.mean([kept[row] for row in common]) - 0.125) < 4 * (0.125 * 0.875 / len(common)) ** 0.5
    assert not kept[-1]
    assert kept == [is_kept(one, shares, row, seed=3) for row, one in enumerate(found)]
    assert kept != [is_kept(one, shares, row, seed=4) for row, one in enumerate(found)]


def test_draws_of_two_names_are_independent():
    shares = np.array([0.5, 0.5])
    both = np.mean([is_kept([0, 1], shares, row, 0) for row in range(4000)])
    assert abs(both - 0.75) < 0.03


def test_files_of_names(tmp_path):
    (tmp_path / "n.txt").write_text("dog\n\n  cat \n")
    (tmp_path / "n.json").write_text(json.dumps(["dog", "cat"]))
    assert read_names(tmp_path / "n.txt") == read_names(tmp_path / "n.json") == ["dog", "cat"]
    for name, content in {"empty.txt": "", "map.json": "{}", "bad.json": "["}.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(SaysoError, match="names"):
            read_names(tmp_path / name)
