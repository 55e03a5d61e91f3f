"""Diarised captions name their speakers before the words."""

from __future__ import annotations

import pytest

from sayso.text.captions.collector import CaptionCollector


def said(text: str) -> list[tuple[str | None, str]]:
    collector = CaptionCollector("talk")
    collector.add(1, 1.0, 2.0, text)
    return [(one.speaker, one.text) for one in collector.found]


@pytest.mark.parametrize(
    ("text", "speaker", "words"),
    [
        ("[SPEAKER_00]: Hand me that.", "SPEAKER_00", "Hand me that."),
        ("[SPEAKER_01] Here.", "SPEAKER_01", "Here."),
        (" (speaker 0) Sand it", "speaker 0", "Sand it"),
        ("SPEAKER_12: Yes", "SPEAKER_12", "Yes"),
        ("Speaker 1: Yes", "Speaker 1", "Yes"),
        ("spk_0: Yes", "spk_0", "Yes"),
        ("(speaker ?) Who?", None, "Who?"),
        ("Sand it [SPEAKER_TURN]", None, "Sand it"),
        ("The speaker: a man of few words", None, "The speaker: a man of few words"),
        ("Speaker 1 is broken", None, "Speaker 1 is broken"),
        ("Remember: measure twice", None, "Remember: measure twice"),
    ],
)
def test_prefixes(text, speaker, words):
    assert said(text) == [(speaker, words)]


def test_two_speakers_in_one_caption():
    two = "[SPEAKER_00]: Hand me\nthat.\n[SPEAKER_01]: Here."
    assert said(two) == [("SPEAKER_00", "Hand me that."), ("SPEAKER_01", "Here.")]
