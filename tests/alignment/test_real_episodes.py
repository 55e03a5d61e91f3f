"""Real episodes: the speaker of every subtitle line, next to the published alignment of the same data."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from sayso.alignment import align_script
from sayso.data.datasets.tvperson import read_episode
from sayso.text.screenplay.elements import Screenplay

EPISODES = ("bbt_s01e01", "bbt_s01e02", "buffy_s05e01")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def episode(folder, name):
    """The transcript's speeches, captions without speakers, and the true and the published speakers."""
    read = read_episode(folder / "tvperson", name)
    elements = []
    for element in read.script.elements:
        if elements and elements[-1].speaker == element.speaker:
            elements[-1] = replace(elements[-1], text=f"{elements[-1].text} {element.text}")
        else:
            elements.append(replace(element, line=len(elements) + 1))
    return elements, read.captions, read.speakers, read.published


def garbled(elements, rng):
    def spoil(word):
        return "".join(rng.choices(LETTERS, k=len(word))) if rng.random() < 0.1 else word

    return [replace(e, text=" ".join(map(spoil, e.text.split()))) for e in elements]


def swapped(elements, rng):
    sixth = len(elements) // 6
    cuts = [elements[k * sixth : (k + 1) * sixth] for k in range(6)] + [elements[6 * sixth :]]
    cuts[1], cuts[3] = cuts[3], cuts[1]
    return [element for cut in cuts for element in cut]


def dropped(elements, rng):
    return [element for element in elements if rng.random() > 0.15]


def score(elements, captions, true):
    """Accuracy, and the share of wrong lines among those above confidence 0.9."""
    lines = align_script(Screenplay(tuple(elements)), captions).lines
    right = [line.speaker == speaker for line, speaker in zip(lines, true, strict=True)]
    sure = [ok for ok, line in zip(right, lines, strict=True) if line.confidence > 0.9]
    return sum(right) / len(right), 1 - sum(sure) / len(sure)


@pytest.mark.parametrize("name", EPISODES)
def test_at_least_as_good_as_the_published_alignment(shared_data, name):
    elements, captions, true, published = episode(shared_data, name)
    accuracy, wrong = score(elements, captions, true)
    assert accuracy >= sum(a == b for a, b in zip(true, published, strict=True)) / len(true)
    assert wrong <= 0.02


@pytest.mark.parametrize("name", EPISODES)
@pytest.mark.parametrize("spoil", [(garbled,), (dropped,), (swapped,), (garbled, dropped, swapped)])
def test_spoilt_transcripts_lose_little_and_are_not_sure_of_what_is_wrong(shared_data, name, spoil):
    elements, captions, true, _ = episode(shared_data, name)
    rng = random.Random(0)
    whole, _ = score(elements, captions, true)
    for change in spoil:
        elements = change(elements, rng)
    accuracy, wrong = score(elements, captions, true)
    assert accuracy >= whole - (0.12 if dropped in spoil else 0.02)
    assert wrong <= 0.02
