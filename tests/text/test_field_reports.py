"""The inputs of the field reports come out right, and damage to any input is told or survived."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import pytest

from sayso.core.errors import SaysoError
from sayso.text import read_caption_file, read_screenplay

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def load(name: str):
    """Import a script of the folder ``benchmarks``."""
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


reports, mutations = load("field_reports"), load("mutations")
OURS = [check for check in reports.CHECKS if check.number in ("1", "2", "3", "4", "5")]


@pytest.mark.parametrize("check", OURS, ids=lambda check: check.folder)
def test_every_given_input_is_right(shared_data, check):
    folder = shared_data / "reports"
    if not folder.is_dir():
        pytest.skip("the field reports are not on this machine")
    for what, expected, found, ok in reports.rows(check, folder):
        assert ok, f"{what}: expected {expected}, found {found}"


CAPTIONS = {
    "talk.srt": (
        "1\n"
        "00:00:01,000 --> 00:00:02,500\n"
        "[SPEAKER_00]: Cut it.\n"
        "\n"
        "2\n"
        "00:00:03,000 --> 00:00:05,000\n"
        "- Yes.\n"
    ),
    "talk.vtt": (
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:9000,LOCAL:00:00:00.000\n\n00:01.000 --> 00:02.500\n<v Ann>Cut it.\n"
    ),
    "talk.ass": (
        "[Events]\nDialogue: 0,0:00:01.00,0:00:03.00,Default,,0,0,0,,{\\p1}m 0 0 l 2 0{\\p0}Cut it\n"
    ),
    "talk.ttml": (
        "<tt ttp:timeBase='smpte' xmlns:ttp='x'><body><div><p begin='00:00:01:02' dur='1s"
        "'>Cut</p></div></body></tt>"
    ),
    "talk.json3": (
        '{"events": [{"tStartMs": 1, "dDurationMs": 5, "segs": [{"utf8": "Cut "}, {"utf8": "it"}]}]}'
    ),
    "talk.sub": ("{1}{1}25\n{10}{25}Cut it\n"),
}
SCRIPTS = {
    "film.txt": (
        "INT. BAR - DAY\n"
        "\n"
        "          ANNA              BEN\n"
        "     Yes!              No!\n"
        "\n"
        "          Dr. KIM\n"
        "     Sit.\n"
    ),
    "film.html": ("<html><body><pre><b>INT. BAR\n</b>\n<b>   ANNA\n</b> Yes!\n</pre></body></html>"),
    "film.fdx": (
        "<FinalDraft><Content><Paragraph Type='Scene Heading'><Text>INT. BAR</Text></Para"
        "graph></Content></FinalDraft>"
    ),
    "film.fountain": (
        "Title: A\n\nAUSSEN. GARTEN - NACHT\n\n@McBEE\n(to _him_)\nYes.\n  \nNo. /* cut */\n\n> FIN <\n"
    ),
}


@pytest.mark.parametrize("name", [*CAPTIONS, *SCRIPTS])
def test_damage_is_told_or_survived(tmp_path, name):
    read = read_caption_file if name in CAPTIONS else read_screenplay
    rng, data = random.Random(name), (CAPTIONS | SCRIPTS)[name].encode()
    path = tmp_path / name
    outcomes = set()
    for _ in range(150):
        path.write_bytes(mutations.damage(data, rng))
        try:
            read(path)
            outcomes.add("read")
        except SaysoError as error:
            outcomes.add("refused" if str(error).startswith(str(path)) else str(error))
    assert outcomes == {"read", "refused"}
