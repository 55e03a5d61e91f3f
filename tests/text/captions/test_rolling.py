"""YouTube's rolling captions become sentences or lines: each word once, when it is first shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.core.types import Caption
from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.cues import read_srt
from sayso.text.captions.json3 import read_json3
from sayso.text.captions.rolling import Cue, is_rolling, unroll
from sayso.text.captions.webvtt import read_vtt

TimedWord = tuple[str, float]
LINES: list[list[TimedWord]] = [
    [("today", 0.16), ("we", 0.48), ("glue", 0.96), ("the", 1.3), ("wood", 1.5)],
    [("and", 2.4), ("clamp", 2.56), ("it", 3.0), ("well", 3.3)],
    [("[Music]", 9.0)],
    [("then", 12.0), ("it", 12.2), ("it", 12.4), ("dries", 13.0)],
]
ENDS = [2.39, 4.3, 11.99, 15.0]
SPOKEN = ["today we glue the wood", "and clamp it well", "[Music]", "then it it dries"]


def clock(time: float, mark: str = ".") -> str:
    milliseconds = round(time * 1000)
    return (
        f"{milliseconds // 3600000:02d}:{milliseconds // 60000 % 60:02d}:{milliseconds // 1000 % 60:02d}"
        + (f"{mark}{milliseconds % 1000:03d}")
    )


def rolling_vtt(lines: list[list[TimedWord]], ends: list[float]) -> str:
    """As a downloader saves automatic captions: two rows, then 10 ms of the lower one alone."""
    out, above = "WEBVTT\nKind: captions\nLanguage: en\n\n", " "
    for words, end in zip(lines, ends, strict=True):
        (first, start), *rest = words
        marked = first + "".join(f"<{clock(at)}><c> {word}</c>" for word, at in rest)
        text = " ".join(word for word, _ in words)
        out += f"{clock(start)} --> {clock(end)} align:start position:0%\n{above}\n{marked}\n\n"
        out += f"{clock(end)} --> {clock(end + 0.01)} align:start position:0%\n{text}\n \n\n"
        above = text
    return out


def rolling_srt(lines: list[list[TimedWord]], ends: list[float]) -> str:
    """The same after conversion: no word times."""
    out, above, number = "", "", 1
    for words, end in zip(lines, ends, strict=True):
        text = " ".join(word for word, _ in words)
        out += f"{number}\n{clock(words[0][1], ',')} --> {clock(end, ',')}\n{above}\n{text}\n\n"
        out += f"{number + 1}\n{clock(end, ',')} --> {clock(end + 0.01, ',')}\n{text}\n\n\n"
        above, number = text, number + 2
    return out


def json3(lines: list[list[TimedWord]], ends: list[float]) -> str:
    """The same as YouTube serves it: a line stays until the one after next."""
    events: list[dict[str, object]] = [{"tStartMs": 0, "dDurationMs": 20000, "id": 1, "wpWinPosId": 1}]
    for i, words in enumerate(lines):
        start = round(words[0][1] * 1000)
        until = round(ends[min(i + 1, len(ends) - 1)] * 1000)
        segments = [
            {"utf8": (" " if k else "") + word, "tOffsetMs": round(at * 1000) - start, "acAsrConf": 0}
            for k, (word, at) in enumerate(words)
        ]
        events.append({"tStartMs": start, "dDurationMs": until - start, "wWinId": 1, "segs": segments})
        events.append({"tStartMs": start, "wWinId": 1, "aAppend": 1, "segs": [{"utf8": "\n"}]})
    return json.dumps({"wireMagic": "pb3", "events": events}, indent=2)


def read(reader, text: str) -> list[Caption]:
    collector = CaptionCollector("talk")
    reader(text, collector)
    return collector.captions()


def stripped_vtt(lines: list[list[TimedWord]], ends: list[float]) -> str:
    """The same after an editor that strips spaces at line ends."""
    return "\n".join(line.rstrip() for line in rolling_vtt(lines, ends).split("\n"))


@pytest.mark.parametrize(
    ("reader", "write"),
    [(read_vtt, stripped_vtt), (read_vtt, rolling_vtt), (read_srt, rolling_srt), (read_json3, json3)],
)
def test_every_line_is_said_once_and_begins_with_its_first_word(reader, write):
    captions = read(reader, write(LINES, ENDS))
    assert [caption.text for caption in captions] == SPOKEN
    assert [caption.span.start for caption in captions] == [words[0][1] for words in LINES]
    for caption, words, end in zip(captions, LINES, ENDS, strict=True):
        if write is json3:  # which keeps a line on the screen longer than it is spoken
            assert words[-1][1] < caption.span.end <= max(end, words[-1][1] + 2.0) + 0.011
        else:
            assert caption.span.end == pytest.approx(end, abs=0.011)


def test_silence_after_the_last_word_belongs_to_no_caption():
    (first, second) = read(
        read_vtt, rolling_vtt([[("so", 1.0), ("then", 1.5)], [("stop", 30.0)]], [29.9, 31.0])
    )
    assert (first.span.end, second.span.start) == (3.5, 30.0)


def test_a_punctuated_transcript_is_cut_into_sentences_at_the_times_of_their_words():
    lines = [
        [("Take", 1.0), ("the", 1.2), ("board.", 1.5), ("Now", 2.0), ("we", 2.2)],
        [("glue", 3.0), ("it", 3.3), ("well.", 3.6), (">>", 4.5), ("Why?", 4.6)],
        [("Because", 5.0), ("it", 5.2), ("holds.", 5.5)],
    ]
    ends = [2.9, 4.9, 6.0]
    wanted = [
        ("Take the board.", 1.0, 2.0),
        ("Now we glue it well.", 2.0, 4.5),
        (">> Why?", 4.5, 4.9),
        ("Because it holds.", 5.0, 6.0),
    ]
    for reader, write in [(read_vtt, rolling_vtt), (read_json3, json3)]:
        captions = read(reader, write(lines, ends))
        assert [caption.text for caption in captions] == [text for text, *_ in wanted]
        for caption, (_, start, end) in zip(captions, wanted, strict=True):
            assert caption.span.start == pytest.approx(start)
            assert caption.span.end == pytest.approx(end, abs=0.11)


def test_a_sentence_without_end_is_cut_at_a_line_and_at_a_pause():
    words = [[("so", 4.0 * i), ("on", 4.0 * i + 1)] for i in range(10)] + [[("end.", 60.0)], [("Yes.", 61.0)]]
    ends = [line[0][1] + 3.9 for line in words[:-2]] + [60.9, 62.0]
    captions = read(read_vtt, rolling_vtt(words, ends))
    assert max(caption.span.duration for caption in captions) <= 20
    assert captions[-2].text == "end."
    assert " ".join(caption.text for caption in captions) == "so on " * 10 + "end. Yes."


def test_roll_up_of_three_rows_without_remnants():
    shown = [["A a"], ["A a", "B b"], ["A a", "B b", "C c"], ["B b", "C c", "D d"], ["C c", "D d", "D d"]]
    cues = [Cue(i, float(i), i + 1.0, tuple(rows)) for i, rows in enumerate(shown)]
    assert is_rolling(cues)
    assert [(word.text, word.start) for word in unroll(cues)] == [
        ("A a", 0.0), ("B b", 1.0), ("C c", 2.0), ("D d", 3.0), ("D d", 4.0),
    ]  # fmt: skip


def test_a_line_repeated_word_for_word_while_each_word_lights_up():
    spoken = ["we glue the wood", "and clamp it"]
    cues = []
    at = 0.0
    for text in spoken:
        for word in text.split():
            cues.append(
                f"{clock(at, ',')} --> {clock(at + 0.3, ',')}\n{text.replace(word, f'<u>{word}</u>')}\n"
            )
            at += 0.3
    captions = read(read_srt, "\n".join(cues))
    assert [
        (caption.text, round(caption.span.start, 3), round(caption.span.end, 3)) for caption in captions
    ] == [
        ("we glue the wood", 0.0, 1.2),
        ("and clamp it", 1.2, 2.1),
    ]


def test_what_people_repeat_is_kept():
    text = "".join(
        f"{clock(i)} --> {clock(i + 1.5)}\n{said}\n\n" for i, said in enumerate(["No.", "No.", "Go!", "Go!"])
    )
    assert [caption.text for caption in read(read_srt, text)] == ["No.", "No.", "Go!", "Go!"]
    song = ["a\nb", "b\nc", "d\ne", "f\ng", "h\ni", "k\nl"]  # one line is sung twice
    text = "".join(f"{clock(i)} --> {clock(i + 1)}\n{said}\n\n" for i, said in enumerate(song))
    assert [caption.text for caption in read(read_srt, text)] == [lines.replace("\n", " ") for lines in song]


words = st.lists(st.sampled_from(["a", "b", "no", "go", "oak"]), min_size=1, max_size=4)


@given(st.lists(words, min_size=2, max_size=12))
def test_whatever_is_said_each_word_comes_once_and_in_order(said):
    lines = [[(word, 3.0 * i + 0.5 * k) for k, word in enumerate(row)] for i, row in enumerate(said)]
    ends = [3.0 * i + 2.9 for i in range(len(said))]
    spoken = [word for row in said for word in row]
    for reader, write in [(read_vtt, rolling_vtt), (read_json3, json3)]:
        captions = read(reader, write(lines, ends))
        assert " ".join(caption.text for caption in captions).split() == spoken
        assert all(caption.span.duration > 0.1 for caption in captions)


def test_many_long_screens_cost_little():
    rows = tuple("row" for _ in range(3000))
    cues = [Cue(i, float(i), i + 1.0, rows) for i in range(5)]
    assert not is_rolling(cues)


def test_short_cues_that_show_nothing_do_not_roll():
    empty = [Cue(k, 0.5 * k, 0.5 * k + 0.1, (" ",)) for k in range(4)]
    assert not is_rolling([*empty, Cue(4, 2, 4, ("hello",))])


def rolled(*shown: tuple[float, str]) -> list[Cue]:
    """Return cues that follow each other: how long each lasts, and its lines between bars."""
    cues, at = [], 0.0
    for k, (length, lines) in enumerate(shown):
        cues.append(Cue(k, at, at + length, tuple(lines.split("|"))))
        at += length
    return cues


@pytest.mark.parametrize(
    ("shown", "rolls"),
    [
        ("a / a|b / b|c", True),
        ("a / a|b / x", False),
        ("a / a|b / b|c / x / y", True),
        ("a / a|b / b|c / x / y / z", False),
        ("a / a|b<00:00:02.500> c / x", True),
        ("a / a|b<00:00:02.500> c / x / y", False),
    ],
)
def test_half_of_the_cues_that_follow_begin_with_what_was_shown(shown, rolls):
    """Two of them at least, one where words have times."""
    assert is_rolling(rolled(*((2.0, lines) for lines in shown.split(" / ")))) == rolls


@pytest.mark.parametrize(("length", "rolls", "end"), [(1.0, True, 3.0), (1.25, False, 2.0)])
def test_what_is_shown_again_alone_for_a_second_is_what_is_left_of_a_line(length, rolls, end):
    assert is_rolling(rolled((2, "a"), (length, "a"), (2, "b"), (length, "b"))) == rolls
    assert [word.end for word in unroll(rolled((2, "a"), (length, "a")))] == [end]


def test_an_empty_cue_does_not_make_the_word_before_it_last():
    assert [word.end for word in unroll(rolled((2, "a"), (0.5, " ")))] == [2.0]


@pytest.mark.parametrize(
    ("first", "second", "new"),
    [
        ("1|2|3|4|5|6|7|8|9", "9|x", ["x"]),
        ("1|2|3|4|5|6|7|8", "2|3|4|5|6|7|8|x", ["x"]),
        ("1|2|3|4|5|6|7|8|9", "2|3|4|5|6|7|8|9|x", [*"23456789x"]),
        ("a<00:00:01.000> b|c", "a<00:00:02.500> b|c|d", ["a", " b", "c", "d"]),
        ("a b|c", "a b|c|d", ["d"]),
    ],
)
def test_lines_are_old_that_the_cue_before_ends_with(first, second, new):
    """Of eight lines on both screens at most; lines whose words have times are new."""
    words = unroll(rolled((2, first), (2, second)))
    assert [word.text for word in words if word.line == 1] == new
