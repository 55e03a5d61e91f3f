"""Opposite verbs, and phrases that are no synonyms for it."""

from __future__ import annotations

import numpy as np
import pytest

from sayso.core.types import Caption, Span
from sayso.systems.instruction_steps import discover_script
from sayso.text.language.narration import Mention, mentions
from sayso.text.language.opposites import opposite
from sayso.text.language.phrases import phrase_likeness, with_particles


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jack", "lower"),
        ("screw", "unscrew"),
        ("connect", "disconnect"),
        ("turn on", "turn off"),
        ("open", "close"),
        ("take", "put"),
        ("place", "remove"),
        ("insert", "pull out"),
        ("pick up", "put down"),
        ("press", "release"),
    ],
)
def test_opposites_are_so_both_ways(one, other):
    assert opposite(one, other)
    assert opposite(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jack", "raise"),
        ("cut", "slice"),
        ("place", "put"),
        ("pull", "remove"),
        ("turn on", "turn in"),
        ("turn", "turn on"),
        ("a", "una"),
    ],
)
def test_others_are_none(one, other):
    assert not opposite(one, other)
    assert not opposite(other, one)


def all_alike(words: list[str]) -> np.ndarray:
    """Embed as if every word stood for every other."""
    return np.ones((len(words), 2), np.float32)


def test_an_embedding_that_holds_opposites_near_does_not_join_them():
    pairs = [("jack", "car"), ("lower", "vehicle"), ("raise", "automobile")]
    likeness = phrase_likeness(pairs, [[pairs[0]], [pairs[1]], [pairs[2]]] * 3, all_alike)
    assert likeness.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


def told(*phrases: str) -> list[Mention]:
    lines = [Caption(Span(9 * n, 9 * n + 2), f"now {phrase}.") for n, phrase in enumerate(phrases)]
    return mentions(lines)


def test_which_way_is_heard_before_the_object_and_after_it():
    found = told("jack up the car", "jack the car up", "put the wheel on the hub", "turn the light off")
    assert [(m.phrase, m.particle) for m in found] == [
        ("jack car", "up"),
        ("jack car", "up"),
        ("put wheel", ""),
        ("turn light", "off"),
    ]


def test_particles_tell_two_steps_apart_where_both_are_told_and_nowhere_else():
    videos = [told("turn on the light", "cut up the ham", "turn the light off") for _ in range(4)]
    script = discover_script(videos, 5)
    assert [step.name for step in script] == ["turn on light", "cut ham", "turn off light"]
    once = [told("turn on the light", "cut up the ham")] * 4
    assert with_particles(once) == once


def test_an_emergency_can_be_called():
    assert [m.phrase for m in told("call the emergency services", "call it a day")] == ["call service"]
