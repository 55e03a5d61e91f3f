"""Recall and precision of pairs, and what the drawn texts are."""

from __future__ import annotations

import pytest

from sayso.evaluation.word_alignment import WordAlignment, drawn_texts, pair_scores


def test_pairs_are_scored():
    assert pair_scores([(0, 0), (1, 2)], [(0, 0), (1, 1), (2, 2), (3, 3)]) == {
        "recall": 0.25,
        "precision": 0.5,
    }
    assert pair_scores([], [(0, 0)]) == {"recall": 0, "precision": 0}


def test_the_true_pairs_are_alike_and_in_order():
    script, subtitles, pairs = drawn_texts(2000, seed=3)
    assert len(script) == 2000 and len(subtitles) <= 2000 * 10 / 12 + 1
    assert pairs == sorted(pairs) and len({j for _, j in pairs}) == len(pairs)
    same = sum(script[i] == subtitles[j] for i, j in pairs)
    assert 0.9 * len(pairs) < same < len(pairs), "some are misspelt"
    assert drawn_texts(2000, seed=3) == (script, subtitles, pairs)


def test_ours_finds_what_only_looks_alike():
    rows = WordAlignment(sizes=(1500,))().rows
    assert rows["1,500 words"]["recall"] > rows["1,500 words, difflib"]["recall"] + 0.02
    assert rows["1,500 words"]["precision"] == pytest.approx(1, abs=0.01)
