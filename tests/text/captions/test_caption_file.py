"""Caption files as a whole: the format is told by the content, nothing crashes, what is written is read."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sayso.text
from sayso.core.errors import SubtitleError
from sayso.core.types import Caption, Span
from sayso.text import CaptionFile, read_caption_file, read_subtitles, write_srt, write_vtt
from sayso.text.captions import caption_file
from sayso.text.captions.caption_file import caption_format
from sayso.text.captions.markup import clean_text
from toy import make_video

WANTED = [
    Caption(Span(1.0, 2.5), "First we measure the board."),
    Caption(Span(3.0, 5.0), "Then we cut it, à la carte."),
]
BODY = "First we measure\nthe board.", "Then we cut it,\nà la carte."
FORMATS = {
    "SRT": f"1\n00:00:01,000 --> 00:00:02,500\n{BODY[0]}\n\n2\n00:00:03,000 --> 00:00:05,000\n{BODY[1]}\n",
    "WebVTT": f"WEBVTT\n\n00:01.000 --> 00:02.500\n{BODY[0]}\n\n00:03.000 --> 00:05.000\n{BODY[1]}\n",
    "SubViewer": "[INFORMATION]\n[SUBTITLE]\n"
    "00:00:01.00,00:00:02.50\n{}\n\n00:00:03.00,00:00:05.00\n{}\n".format(
        *(text.replace("\n", "[br]") for text in BODY)
    ),
    "ASS": "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{}\n"
    "Dialogue: 0,0:00:03.00,0:00:05.00,Default,,0,0,0,,{}\n".format(
        *(text.replace("\n", r"\N") for text in BODY)
    ),
    "TTML": '<?xml version="1.0"?>\n<tt xmlns="http://www.w3.org/ns/ttml"><body><div>\n'
    '<p begin="1s" end="2.5s">{}</p>\n<p begin="3s" end="5s">{}</p>\n</div></body></tt>\n'.format(
        *(text.replace("\n", "<br/>") for text in BODY)
    ),
    "json3": json.dumps(
        {
            "wireMagic": "pb3",
            "events": [
                {"tStartMs": 1000, "dDurationMs": 1500, "segs": [{"utf8": BODY[0]}]},
                {"tStartMs": 3000, "dDurationMs": 2000, "segs": [{"utf8": BODY[1]}]},
            ],
        },
        ensure_ascii=False,
        indent=1,
    ),
    "MicroDVD": "{{1}}{{1}}10\n{{10}}{{25}}{}\n{{30}}{{50}}{}\n".format(
        *(text.replace("\n", "|") for text in BODY)
    ),
    "MPL2": "[10][25]{}\n[30][50]{}\n".format(*(text.replace("\n", "|") for text in BODY)),
}


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a caption file with a name that says nothing of its format."""

    def write(content: str | bytes, encoding: str = "utf-8"):
        path = tmp_path / "talk.captions"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_told_by_its_content(file, name, end, encoding):
    assert read_subtitles(file(FORMATS[name].replace("\n", end), encoding)) == WANTED


@pytest.mark.parametrize("name", FORMATS)
def test_blank_lines_before_the_captions_do_not_matter(file, name):
    assert read_subtitles(file("\n \n" + FORMATS[name])) == WANTED


@pytest.mark.parametrize("content", [b"", b"\n \r\n\t", b"\xef\xbb\xbf", b"\xff\xfe", b"WEBVTT\n", bytes(10)])
def test_an_empty_file_has_no_captions(file, content):
    assert read_subtitles(file(content)) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("Dear Ann,\nsee you.\n", r"expected SRT, WebVTT, .* captions, found 'Dear Ann,'"),
        ("<!DOCTYPE html><html><body>404</body></html>", "expected SRT, WebVTT"),
        (b"\x89PNG" + bytes(1000) + b"x", "the file holds binary data, not text"),
        ("[]", "expected SRT, WebVTT"),
        ('{"segments": []}', "expected YouTube's json3"),
        ("{10}{25}no rate\n", "its times are frame numbers, and no video beside it tells their rate"),
    ],
)
def test_what_is_no_caption_file_says_so(file, content, why):
    path = file(content)
    with pytest.raises(SubtitleError, match=why) as raised:
        read_caption_file(path)
    assert str(raised.value).startswith(str(path))


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(SubtitleError, match=r"talk\.srt: expected a caption file, found no file there"):
        read_subtitles(tmp_path / "talk.srt")
    with pytest.raises(SubtitleError, match="found no regular file"):
        read_subtitles(tmp_path)
    with pytest.raises(SubtitleError, match="found no file there"):
        read_subtitles("talk\0.srt")
    with pytest.raises(SubtitleError, match="cannot be read: File name too long"):
        read_subtitles("x" * 5000)
    os.mkfifo(tmp_path / "pipe.srt")
    with pytest.raises(SubtitleError, match="found no regular file"):
        read_subtitles(tmp_path / "pipe.srt")
    large = tmp_path / "large.srt"
    with large.open("wb") as handle:
        handle.truncate(2**40)
    with pytest.raises(SubtitleError, match="at most 32 MiB"):
        read_subtitles(large)


def test_problems_are_part_of_the_result_or_logged(file, caplog):
    path = file(
        FORMATS["SRT"].replace("00:00:03,000 -->", "soon -->") + "\n3\n00:00:09,000 --> 00:00:08,000\nx\n"
    )
    found = read_caption_file(path)
    assert found.captions == tuple(WANTED[:1])
    assert [problem.line for problem in found.problems] == [7, 12]
    assert str(found.problems[0]).startswith(f"{path}, line 7: expected a timing line such as")
    assert read_subtitles(path) == WANTED[:1]
    assert caplog.messages == [str(problem) for problem in found.problems]


def test_a_broken_byte_is_told_with_its_line(file):
    content = (FORMATS["SRT"] + "\n").encode() * 12
    at = content.rindex(b"carte")
    path = file(content[:at] + b"\xff" + content[at:])
    found = read_caption_file(path)
    assert found.captions
    assert [problem.line for problem in found.problems] == [content[:at].count(b"\n") + 1]


def test_frames_a_second_can_be_given(file):
    path = file(FORMATS["MicroDVD"].partition("\n")[2])
    assert read_subtitles(path, fps=10) == WANTED


def test_frames_are_counted_by_the_video_beside(tmp_path):
    make_video(tmp_path / "talk.mp4", ["red"], seconds_each=1, fps=10)
    (tmp_path / "talk.en.sub").write_text(FORMATS["MicroDVD"].partition("\n")[2])
    assert read_subtitles(tmp_path / "talk.en.sub") == WANTED


def check(path) -> None:
    try:
        found = read_caption_file(path)
    except SubtitleError as error:
        found = CaptionFile((), (error,))
    assert all(str(problem).startswith(str(path)) for problem in found.problems)
    assert list(found.captions) == sorted(found.captions, key=lambda caption: caption.span)
    for caption in found.captions:
        assert 0 <= caption.span.start < caption.span.end < float("inf")
        assert caption.text.strip() == caption.text != ""
        caption.text.encode()
        assert caption.speaker is None or caption.speaker.strip()


pieces = st.sampled_from(
    [
        *FORMATS.values(),
        "1\n",
        "00:00:01,000 --> 00:00:02,000\n",
        "WEBVTT\n\n",
        "-->",
        "<v Ann>",
        "<00:00:01.000><c>",
        "{",
        "}",
        "\n",
        "\n\n",
        "\0",
        "�",
        "[Events]\nDialogue: ",
        "{1}{2}x\n",
        '{"events": [',
        "<tt><body><p begin='1s'>",
        "&amp;",
        "-1:0",
    ]
)


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=400), st.lists(pieces | st.text(max_size=5), max_size=12).map("".join)))
def test_any_bytes_are_captions_or_an_error(tmp_path, content):
    path = tmp_path / "any.srt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(errors="replace"))
    check(path)


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_are_captions_or_an_error(file, name):
    chance = random.Random(name)
    for _ in range(100):
        data = bytearray(FORMATS[name].encode(chance.choice(["utf-8", "utf-16", "cp1252"])))
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        check(file(bytes(data[: chance.randrange(1, len(data) + 1)])))


@pytest.mark.parametrize(
    "content",
    [
        "<" * 300_000,
        "{" * 300_000,
        "<tt>" + "<p>" * 100_000,
        "[" * 300_000,
        "{\\" * 100_000,
        "-->" * 100_000,
        "WEBVTT\n\n" + "00:00:01.000 --> 00:00:02.000\n" * 20_000,
        "1\n" * 100_000,
        " " * 300_000 + "x",
        "00:00:01,000 --> 00:00:02,000\n" + "<v " * 100_000,
        "[Events]\nDialogue: 0,0:0:1,0:0:2,,,,,,," + "{" * 300_000,
        "00:00:01,000 --> 00:00:02,000\n" + "]" * 300_000 + "a",
        "{1}{1}25\n{1}{2}" + "{y:" * 100_000,
        "00:00:01,000 " + "," * 300_000,
        '{"events": [' + '{"segs":[' * 100_000,
        "WEBVTT\n\n" + "00:01.000 --> 00:02.000\na<00:00:01.500><c> b</c>\n" + "a b\n" * 50_000,
    ],
)
def test_hostile_files_do_not_hang(file, content):  # each takes minutes where a cost is quadratic
    check(file(content))


texts = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
said = st.lists(texts, min_size=1, max_size=4).map(" ".join)
captions = st.lists(
    st.builds(
        lambda start, length, text, name: Caption(Span(start / 1000, (start + length) / 1000), text, name),
        st.integers(0, 10**7),
        st.integers(1, 10**5),
        said.filter(lambda text: not text.isdigit() and text[0] not in "-‐–—>"),
        st.none() | texts,
    ),
    max_size=6,
    unique_by=lambda caption: caption.span,
)


def as_peer(text: str, name: str) -> list[tuple[int, int]]:
    return sorted((event.start, event.end) for event in pysubs2.SSAFile.from_string(text, format_=name))


@settings(deadline=None)
@given(captions)
def test_what_is_written_is_read(tmp_path, said):
    path = tmp_path / "talk.vtt"
    path.write_text(write_vtt(said), encoding="utf-8")
    wanted = sorted(said, key=lambda caption: caption.span)
    found = read_subtitles(path)
    assert [(c.text, c.speaker) for c in found] == [(c.text, c.speaker) for c in wanted]
    times = [(round(c.span.start * 1000), round(c.span.end * 1000)) for c in wanted]
    assert [(round(c.span.start * 1000), round(c.span.end * 1000)) for c in found] == times
    assert as_peer(write_srt(said), "srt") == as_peer(write_vtt(said), "vtt") == times


def test_written_files_read_by_another_library():
    said = [
        Caption(Span(3661.0019, 3662.5), "- Is it <smooth> & clean?\n\n- It is --> yes.", "Ann <the> Lee"),
        Caption(Span(0.5, 0.5), "first"),
        Caption(Span(1.0, 2.0), "  "),
    ]
    assert write_srt(said) == (
        "1\n00:00:00,500 --> 00:00:00,501\nfirst\n\n"
        "2\n01:01:01,002 --> 01:01:02,500\n- Is it <smooth> & clean?\n- It is --> yes.\n"
    )
    assert write_vtt(said) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:00.501\nfirst\n\n"
        "01:01:01.002 --> 01:01:02.500\n"
        "<v Ann &lt;the&gt; Lee>- Is it &lt;smooth&gt; &amp; clean?\n- It is --&gt; yes.\n"
    )
    peer = pysubs2.SSAFile.from_string(write_srt([*said[1:], Caption(Span(4, 5), "a\nb")]), format_="srt")
    assert [(event.start, event.end, event.plaintext) for event in peer] == [
        (500, 501, "first"),
        (4000, 5000, "a\nb"),
    ]
    assert write_srt([]) == ""
    assert write_vtt([]) == "WEBVTT\n"


@pytest.mark.parametrize("write", [write_srt, write_vtt])
def test_whole_episodes_survive_writing_and_reading(shared_data, file, write):
    for source in sorted((shared_data / "tvperson").glob("*.subtitles.json")):
        entries = json.loads(source.read_text(encoding="utf-8"))
        spoken = [Caption(Span(entry["start"], entry["end"]), clean_text(entry["text"])) for entry in entries]
        found = read_subtitles(file(write(spoken)))
        wanted = sorted(spoken, key=lambda caption: caption.span)
        assert [caption.text for caption in found] == [caption.text for caption in wanted]
        for caption, original in zip(found, wanted, strict=True):
            times = original.span.start, original.span.end
            assert (caption.span.start, caption.span.end) == pytest.approx(times, abs=0.0006)


def test_importing_the_words_loads_no_heavy_library():
    program = "import sys, sayso.text as text; text.read_subtitles; print({'torch', 'av'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    assert sayso.text.__all__ == sorted(sayso.text.__all__)
    assert all(getattr(sayso.text, name) for name in sayso.text.__all__)


def test_a_file_has_32_mib_at_most(file, monkeypatch):
    path = file(FORMATS["SRT"])
    monkeypatch.setattr(caption_file, "LARGEST", path.stat().st_size)
    assert read_subtitles(path) == WANTED
    with pytest.raises(SubtitleError, match="expected captions of at most"):
        read_subtitles(file(FORMATS["SRT"] + "\n"))
    monkeypatch.undo()
    with path.open("ab") as handle:
        handle.truncate(32 * 2**20 + 1)
    with pytest.raises(SubtitleError, match="at most 32 MiB, found 32 MiB"):
        read_subtitles(path)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        *((text, name.replace("ASS", "SubStation")) for name, text in FORMATS.items() if name != "SubViewer"),
        ("{1}{2}hi\nwords", None),
        ("{1}{2}hi\n{3}{4}ho\n\nwords", "MicroDVD"),
        ("00:00:01:hi\n00:00:05:ho", None),
        ("<html>\n", None),
        ("Write <tt> first", None),
        ("00:00:01,000 --> 00:00:02,000\nhi", None),
        ("00:00:01.00,00:00:02.50\nhi\n\n00:00:03.00,00:00:05.00\nho", None),
        ('{"events": []}', None),
        ('{"segs": []}', None),
        ('"events", "segs"', None),
        ("Dear Ann", None),
    ],
)
def test_a_format_is_named_where_nothing_else_looks_so(text, name):
    """More than half of the lines, or two timing lines with arrows; any text may begin with a time."""
    assert caption_format(f"\n {text}") == name
