"""YouTube's json3 with uploaded captions; automatic ones are in test_rolling."""

from __future__ import annotations

import json

import pytest

from captions import found
from sayso.core.errors import SubtitleError
from sayso.core.types import Caption, Span
from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.json3 import read_json3

UPLOADED = {
    "wireMagic": "pb3",
    "pens": [{}],
    "events": [
        {"tStartMs": 1000, "dDurationMs": 1500, "segs": [{"utf8": "First we measure\nthe board."}]},
        {"tStartMs": 2000, "dDurationMs": 3000, "segs": [{"utf8": "- Smooth?\n- Very ☺"}]},
        {"tStartMs": 9000, "segs": [{"utf8": "the end"}]},
        {"tStartMs": 9500, "dDurationMs": 100, "segs": [{"utf8": "\n"}]},
    ],
}


def read(text: str, problems: list[SubtitleError] | None = None) -> list[Caption]:
    collector = CaptionCollector("talk.json3")
    read_json3(text, collector)
    return found(collector, problems)


def test_uploaded_captions_keep_their_times_and_overlaps():
    assert read(json.dumps(UPLOADED)) == [
        Caption(Span(1.0, 2.5), "First we measure the board."),
        Caption(Span(2.0, 5.0), "- Smooth?\n- Very ☺"),
        Caption(Span(9.0, 9.0 + 0.5 + 7 / 15), "the end"),
    ]


def test_automatic_captions_without_a_word():
    line_end = {"tStartMs": 9000, "aAppend": 1, "segs": [{"utf8": "\n"}]}
    assert read(json.dumps({"events": [{"tStartMs": 0, "dDurationMs": 9000, "id": 1}, line_end]})) == []


def test_one_word_of_known_confidence_tells_that_a_line_ends_when_the_next_begins():
    words = [{"utf8": "we", "acAsrConf": 248}, {"utf8": " glue", "tOffsetMs": 500}]
    following = {"tStartMs": 2000, "dDurationMs": 1000, "segs": [{"utf8": "it"}]}
    captions = read(json.dumps({"events": [{"tStartMs": 0, "dDurationMs": 4000, "segs": words}, following]}))
    assert captions == [Caption(Span(0, 2), "we glue"), Caption(Span(2, 3), "it")]


def test_half_a_character_does_not_come_through():
    document = {
        "events": [{"tStartMs": 0, "dDurationMs": 1000, "segs": [{"utf8": "a \ud83d b \ud83d\ude00"}]}]
    }
    assert [caption.text for caption in read(json.dumps(document))] == ["a ? b 😀"]


@pytest.mark.parametrize(
    "bad",
    [
        "text",
        {"tStartMs": 1, "segs": "text"},
        {"tStartMs": "soon", "segs": [{"utf8": "x"}]},
        {"segs": [{"utf8": "x"}]},
        {"tStartMs": float("inf"), "segs": [{"utf8": "x"}]},
        {"tStartMs": 1e12, "segs": [{"utf8": "x"}]},
        {"tStartMs": float("nan"), "segs": [{"utf8": "x"}]},
        {"tStartMs": 1, "segs": [{"utf8": "x", "tOffsetMs": None}]},
        {"tStartMs": 1000, "dDurationMs": -900, "segs": [{"utf8": "x"}]},
    ],
)
def test_a_broken_event_is_told_and_the_rest_is_kept(bad):
    broken = json.dumps(UPLOADED | {"events": [bad, *UPLOADED["events"]]})
    with pytest.raises(SubtitleError, match=r"talk\.json3: expected (event 1 to|a cue that ends)"):
        read(broken)
    problems: list[SubtitleError] = []
    assert read(broken, problems) == read(json.dumps(UPLOADED))
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (json.dumps(UPLOADED, indent=1)[:200], r"line \d+: expected JSON as YouTube writes it, but "),
        ("{" + '"a":[' * 100_000, "nested too deeply|Expecting"),
        ('{"a": ' + "1" * 5000 + "}", "expected JSON"),
        ('{"segments": []}', "expected YouTube's json3, an object with a list of 'events'"),
        ("[]", "expected YouTube's json3"),
    ],
)
def test_what_is_no_json3_says_so(text, why):
    with pytest.raises(SubtitleError, match=why):
        read(text, [])


@pytest.mark.parametrize("stop", ["", "."])
def test_coloured_words_of_uploaded_captions_stay_one_caption(stop):
    segments = [{"utf8": "Loosen the "}, {"utf8": "lug nuts", "pPenId": 1}, {"utf8": f" first{stop}"}]
    events = [{"tStartMs": 1000 + 6000 * k, "dDurationMs": 5000, "segs": segments} for k in range(3)]
    found_ = read(json.dumps({"wireMagic": "pb3", "events": events}))
    assert [(one.span.start, one.span.end) for one in found_] == [(1, 6), (7, 12), (13, 18)]
    assert {one.text for one in found_} == {f"Loosen the lug nuts first{stop}"}


def test_segments_that_hold_no_words_are_passed_over():
    segments = ["x", {"utf8": 3}, {"utf8": "hi"}, {}, None]
    events = [{"tStartMs": 1000, "dDurationMs": 1000, "segs": segments}]
    assert read(json.dumps({"events": events})) == [Caption(Span(1, 2), "hi")]
