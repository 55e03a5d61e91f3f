"""FFmpeg's readers, through PyAV, find the same captions at the same times."""

from __future__ import annotations

import re

import av
import pytest

from sayso.core.types import Caption, Span
from sayso.text import read_subtitles, write_srt, write_vtt

FILES = {
    "srt": "1\n00:00:01,000 --> 00:00:02,500\nFirst we measure\nthe board.\n\n"
    "2\n00:00:02,000 --> 00:00:05,250\nThen we cut it,\nà la carte.\n\n"
    "3\n01:02:03,004 --> 01:02:04,000\nlate\n",
    "webvtt": "WEBVTT\n\nNOTE oak\n\n"
    "intro\n00:01.000 --> 00:02.500 align:start\nFirst we measure\nthe board.\n\n"
    "00:00:02.000 --> 00:00:05.250\nThen we cut it,\nà la carte.\n\n01:02:03.004 --> 01:02:04.000\nlate\n",
    "ass": "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,First we measure\\Nthe board.\n"
    "Dialogue: 0,0:00:02.00,0:00:05.25,Default,,0,0,0,,Then we cut it,\\Nà la carte.\n",
    "microdvd": "{1}{1}20\n{20}{50}First we measure|the board.\n{40}{105}Then we cut it,|à la carte.\n",
    "mpl2": "[10][25]First we measure|the board.\n[20][52]Then we cut it,|à la carte.\n",
    "subviewer": "[INFORMATION]\n[SUBTITLE]\n00:00:01.00,00:00:02.50\nFirst we measure[br]the board.\n\n"
    "00:00:02.00,00:00:05.25\nThen we cut it,[br]à la carte.\n",
}


def ffmpeg(path, name: str) -> list[tuple[float, float, str]]:
    """Return start, end and text of each packet that FFmpeg's demuxer of that name finds."""
    found = []
    with av.open(path, format=name) as container:
        for packet in container.demux():
            if packet.size:
                start = float(packet.pts * packet.time_base)
                text = bytes(packet).decode()
                text = text.split(",", 8)[8] if name == "ass" else text
                text = re.sub(r"\[br\]|\||\\N|\s", " ", text)
                found.append(
                    (start, start + float(packet.duration * packet.time_base), " ".join(text.split()))
                )
    return found


def ours(captions: list[Caption]) -> list[tuple[float, float, str]]:
    return [(caption.span.start, caption.span.end, caption.text) for caption in captions]


@pytest.mark.parametrize("name", FILES)
def test_the_same_captions(tmp_path, name):
    path = tmp_path / "talk"
    path.write_text(FILES[name], encoding="utf-8")
    found, peer = ours(read_subtitles(path)), ffmpeg(path, name)
    assert [text for *_, text in found] == [text for *_, text in peer]
    assert [time for row in found for time in row[:2]] == pytest.approx(
        [time for row in peer for time in row[:2]]
    )
    assert len(found) >= 2


@pytest.mark.parametrize(("write", "name"), [(write_srt, "srt"), (write_vtt, "webvtt")])
def test_what_is_written_is_read_by_ffmpeg(tmp_path, write, name):
    said = [Caption(Span(0.25 * i, 0.25 * i + 1.5), f"caption {i} is said") for i in range(50)]
    said.append(Caption(Span(100 * 3600.0, 100 * 3600.0 + 1), "very late"))
    path = tmp_path / "talk"
    path.write_text(write(said), encoding="utf-8")
    assert ffmpeg(path, name) == ours(said)
