"""Whatever a text holds, twice as much of it takes no more than about twice as long."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from sayso.core.errors import SaysoError
from sayso.core.types import Caption, Span
from sayso.data.manifest import read_manifest
from sayso.index.conditions import read_conditions
from sayso.index.filter_language import filter_sql
from sayso.index.query import parse_query
from sayso.text.captions.caption_file import read_caption_file
from sayso.text.language.actions import split_sentences, verb_objects
from sayso.text.language.narration import mentions, narrated_sentences
from sayso.text.language.run_together import split_title
from sayso.text.language.spoken import spoken_tokens
from sayso.text.screenplay.fountain import strip_notes
from sayso.text.screenplay.parse import parse_screenplay

MOST_GROWTH = 2.3
WHOLE = 16_000
"""Letters of the shorter text."""

NOISE_S = 0.004
"""What a clock cannot tell apart; added to both times."""

LONGEST_S = 2.0
FAMILIES = [
    *(" ", "\t", "\n", " \n", "\r", "a", "A ", "1", "1.", "(", "((", "()", "(a", "[", "[[", "]", "{", "{\\"),
    *("<", "<b", "<b>", "<!--", "<script", "<v ", "<rt>", "&", "&a;", "- ", "--> ", ".", '?!"', "0:1"),
    *("**", "_", "'", '"', "who:", "near:", "+ ", "/*", "INT. ", "BOB\n", "CUT TO:", "(CONT'D)", "m 1 1 "),
    *("\\N", "ThisIs", "AB1", "    A", "<00:01>", "\u0300", "1,"),
]  # fmt: skip
CAPTIONS = {
    ".srt": "1\n00:00:01,000 --> 00:00:02,000\n",
    ".vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\n",
    ".ass": "[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,",
    ".ttml": '<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="1s" end="2s">',
    ".sub": "{1}{2}",
    ".json3": '{"events":[{"tStartMs":0,"dDurationMs":5,"segs":[{"utf8":"',
    ".sbv": "0:00:01.000,0:00:02.000\n",
    ".txt": "[1][2]",
}
SCREENPLAY = "INT. ROOM - DAY\n\nBOB\nhello\n\n"


def _said(read: Callable[[list[Caption]], object], text: str) -> object:
    return read([Caption(Span(0, 1), text)])


READERS: dict[str, Callable[[str], object]] = {
    "screenplay": lambda text: parse_screenplay(SCREENPLAY + text),
    "bare screenplay": parse_screenplay,
    "web page": lambda text: parse_screenplay(f"<html><body><pre>{SCREENPLAY}{text}"),
    "sentences": partial(_said, narrated_sentences),
    "mentions": partial(_said, mentions),
    "actions": lambda text: [verb_objects(sentence) for sentence in split_sentences(text)],
    "title": split_title,
    "spoken words": spoken_tokens,
    "filter": filter_sql,
    "conditions": read_conditions,
    "query": partial(parse_query, files=False),
}


def in_file(folder: Path, suffix: str, head: str, read: Callable[[Path], object]) -> Callable[[str], object]:
    def read_text(text: str) -> object:
        path = folder / f"x{suffix}"
        path.write_text(head + text)
        return read(path)

    return read_text


def seconds(read: Callable[[str], object], text: str) -> float:
    """Return the processor's time of one reading; refusing is an answer."""
    began = time.process_time()
    with suppress(SaysoError):
        read(text)
    return time.process_time() - began


def growth(read: Callable[[str], object], unit: str, letters: int) -> float:
    """Return by how much twice the text takes longer: least time against least time, of several."""
    short, long = ((unit * n)[:n] + "!" for n in (letters, 2 * letters))
    assert seconds(read, short) < LONGEST_S, f"{len(short)} letters of {unit!r}"
    best = float("inf")
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(6):
        times[0].append(seconds(read, short))
        times[1].append(seconds(read, long))
        best = (min(times[1]) + NOISE_S) / (min(times[0]) + NOISE_S)
        if best < MOST_GROWTH:
            break
    return best


@pytest.fixture(params=[*READERS, *CAPTIONS, ".jsonl", ".csv"])
def reader(request, tmp_path):
    name = request.param
    if name in READERS:
        return READERS[name]
    if name in (".jsonl", ".csv"):
        return in_file(
            tmp_path,
            name,
            "path,title\n" if name == ".csv" else '{"path": "',
            lambda path: list(read_manifest(path)),
        )
    return in_file(tmp_path, name, CAPTIONS[name], partial(read_caption_file, fps=25))


@pytest.mark.slow
def test_every_reader_takes_time_in_proportion(reader):
    slow = {unit: growth(reader, unit, WHOLE) for unit in FAMILIES}
    assert not {unit: grew for unit, grew in slow.items() if grew >= MOST_GROWTH}


@pytest.mark.parametrize("unit", [" ", "\t", "[", "[[", "/*", "(", "ThisIs"])
@pytest.mark.parametrize("name", ["bare screenplay", "sentences", "title"])
def test_the_worst_texts_of_each_reader_are_read(name, unit):
    """Once 20,000 blanks took 38 s; where time grows so, these take hours."""
    READERS[name]((unit * 100_000)[:100_000])


def test_notes_are_left_out_as_a_pattern_would():
    import re

    pattern = re.compile(r"\[\[.*?\]\]|/\*.*?\*/", re.DOTALL)
    for text in (
        "a[[b]]c",
        "[[[x]]]",
        "a/*\n*/b[[",
        "[[ /* ]] */ [[y]]",
        "/*/",
        "/*/*/ x",
        "[[a]][[b]]/* c",
        "]] [[",
    ):
        assert strip_notes(text) == pattern.sub(lambda match: "\n" * match.group().count("\n"), text)
