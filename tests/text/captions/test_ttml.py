"""TTML and DFXP, with pysubs2 as a peer for what it can read."""

from __future__ import annotations

import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions import found
from sayso.core.errors import SubtitleError
from sayso.core.types import Caption, Span
from sayso.text.captions.collector import CaptionCollector
from sayso.text.captions.ttml import read_ttml
from sayso.text.captions.ttml_time import TtmlRates

PLAIN = """<?xml version="1.0" encoding="utf-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling" xml:lang="en">
  <body>
    <div>
      <p begin="00:00:01.000" end="00:00:02.500">First we <span tts:fontStyle="italic">measure</span><br/>
        the board.</p>
      <p begin="3s" end="5000ms">Then &amp; there we cut.</p>
    </div>
  </body>
</tt>
"""
RICH = """<tt xmlns="http://www.w3.org/2006/10/ttaf1" xmlns:ttm="http://www.w3.org/2006/10/ttaf1#metadata"
    xmlns:ttp="http://www.w3.org/2006/10/ttaf1#parameter"
    ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001" ttp:tickRate="10000000">
  <head><metadata>
    <ttm:title>Oak</ttm:title>
    <ttm:agent xml:id="a" type="person"><ttm:name type="full">Ann Lee</ttm:name></ttm:agent>
  </metadata></head>
  <body begin="10s">
    <div>
      <p begin="10000000t" dur="5000000t" ttm:agent="a">ticks</p>
      <p begin="00:00:02:12" end="00:00:03:00">
        <metadata><ttm:desc>not said</ttm:desc></metadata>frames&nbsp;R&B</p>
    </div>
    <div begin="20s" timeContainer="seq">
      <p dur="1s">one</p>
      <p dur="2s">two</p>
      <p begin="1s" dur="1s">three</p>
    </div>
    <div>
      <p><span begin="50s" end="51s">by</span> <span begin="51s" end="52s">span</span></p>
    </div>
  </body>
</tt>
"""


def read(text: str, problems: list[SubtitleError] | None = None) -> list[Caption]:
    collector = CaptionCollector("talk.ttml")
    read_ttml(text, collector)
    return found(collector, problems)


def test_paragraphs():
    assert read(PLAIN) == [
        Caption(Span(1.0, 2.5), "First we measure the board."),
        Caption(Span(3.0, 5.0), "Then & there we cut."),
    ]


def test_says_what_pysubs2_says():
    peer = pysubs2.SSAFile.from_string(PLAIN, format_="ttml")
    assert [(c.span.start, c.span.end, c.text) for c in read(PLAIN)] == [
        (event.start / 1000, event.end / 1000, " ".join(event.plaintext.split())) for event in peer
    ]


def test_frames_ticks_nested_and_sequential_times_speakers_and_stray_ampersands():
    frame = 1001 / 24000
    found = read(RICH)
    assert [(c.text, c.speaker) for c in found] == [
        ("ticks", "Ann Lee"),
        ("frames R&B", None),
        ("one", None),
        ("two", None),
        ("three", None),
        ("by", None),
        ("span", None),
    ]
    times = [11, 11.5, 12 + 12 * frame, 13, 30, 31, 31, 33, 34, 35, 60, 61, 61, 62]
    assert [t for c in found for t in (c.span.start, c.span.end)] == pytest.approx(times)


@pytest.mark.parametrize(
    ("bad", "line", "why"),
    [
        ('<p begin="soon" end="5s">x</p>', 8, "expected a time such as 00:00:05.000 or 5s, found 'soon'"),
        ("<p>never</p>", 8, "expected <p> to have a begin and an end"),
        ('<p begin="9s" end="8s">x</p>', 8, "expected a cue that ends after it starts"),
    ],
)
def test_a_broken_paragraph_is_told_and_the_rest_is_kept(bad, line, why):
    broken = PLAIN.replace("    </div>", bad + "</div>")
    with pytest.raises(SubtitleError, match=rf"talk\.ttml, line {line}: {why}"):
        read(broken)
    problems: list[SubtitleError] = []
    assert read(broken, problems) == read(PLAIN)
    assert [problem.line for problem in problems] == [line]


def test_what_precedes_a_break_in_the_xml_is_kept():
    problems: list[SubtitleError] = []
    assert read(PLAIN[: PLAIN.index("there")], problems) == read(PLAIN)[:1]
    assert [problem.line for problem in problems] == [7]
    assert "expected well-formed XML" in str(problems[0])


BOMB = '<!DOCTYPE tt [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>\n'


@pytest.mark.parametrize("doctype", [BOMB, '<!DOCTYPE tt SYSTEM "file:///etc/passwd">\n'])
def test_a_document_type_is_refused(doctype):
    text = PLAIN.replace("<tt ", doctype + "<tt ").replace("board", "&c;")
    with pytest.raises(SubtitleError, match=r"line 2: expected captions without a document type"):
        read(text, [])


def test_endless_nesting_is_refused():
    with pytest.raises(SubtitleError, match="nested less than 100 deep"):
        read("<tt><body>" + "<div>" * 100_000, [])


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("01:02:03", 3723.0),
        ("00:00:05.25", 5.25),
        ("00:00:05:15", 5.5),
        ("02:03.5", 123.5),
        ("1.5h", 5400.0),
        ("2m", 120.0),
        ("7s", 7.0),
        ("250ms", 0.25),
        ("45f", 1.5),
        ("3t", 3.0),
        ("12.5", 12.5),
        (" 1s ", 1.0),
        ("", None),
        ("-1s", None),
        ("1d", None),
        ("f", None),
    ],
)
def test_time_expressions(expression, seconds):
    assert TtmlRates().seconds(expression) == seconds


@pytest.mark.parametrize(
    ("declared", "rates"),
    [
        ({}, TtmlRates(30, ticks=1)),
        ({"frameRate": "25"}, TtmlRates(25, ticks=25)),
        ({"frameRate": "25", "subFrameRate": "4"}, TtmlRates(25, ticks=100)),
        (
            {"frameRate": "30", "frameRateMultiplier": "1000:1001"},
            TtmlRates(30000 / 1001, ticks=30000 / 1001),
        ),
        ({"tickRate": "10000000"}, TtmlRates(30, ticks=10**7)),
        ({"frameRate": "0", "tickRate": "many", "frameRateMultiplier": "1 0"}, TtmlRates(30, ticks=1)),
    ],
)
def test_rates(declared, rates):
    found = TtmlRates.declared(declared)
    assert (found.frames, found.ticks) == pytest.approx((rates.frames, rates.ticks))


pieces = st.sampled_from(
    [
        "<tt>",
        "</tt>",
        "<body begin='1s'>",
        "</body>",
        "<p begin='1s' end='2s'>",
        "<p>",
        "</p>",
        "<span end='1s'>",
        "</span>",
        "<br/>",
        "word",
        "&",
        "&amp;",
        "&nbsp;",
        "<metadata>",
        "</metadata>",
        "<agent id='a'><name>A</name></agent>",
        "\n",
        "<",
    ]
)


@given(st.lists(pieces, max_size=30))
def test_any_soup_of_elements_gives_captions_or_problems(soup):
    problems: list[SubtitleError] = []
    for caption in read("".join(soup), problems):
        assert caption.span.duration > 0
        assert caption.text


SMPTE = (
    "<tt xmlns='http://www.w3.org/ns/ttml' xmlns:ttp='http://www.w3.org/ns/ttml#parameter' "
    "ttp:timeBase='smpte' {rates}><body><div><p begin='{begin}' end='23:00:00:00'>x</p></div></body></tt>"
)


@pytest.mark.parametrize(
    ("rates", "begin", "seconds"),
    [
        ("ttp:frameRate='24' ttp:frameRateMultiplier='1000 1001'", "01:40:00:00", 6006.0),
        ("ttp:frameRate='24' ttp:frameRateMultiplier='999 1000'", "01:40:00:00", 6000 / 0.999),
        ("ttp:frameRate='25'", "01:00:00:05", 3600.2),
        ("ttp:frameRate='30' ttp:frameRateMultiplier='1000 1001'", "00:01:00:00", 60.06),
        ("ttp:frameRate='23.976'", "00:10:00:00", 600 * 24 / 23.976),
        (
            "ttp:frameRate='30' ttp:frameRateMultiplier='1000 1001' ttp:dropMode='dropNTSC'",
            "01:00:00:00",
            107892 * 1001 / 30000,
        ),
        (
            "ttp:frameRate='30' ttp:frameRateMultiplier='1000 1001' ttp:dropMode='dropNTSC'",
            "00:01:00;02",
            1800 * 1001 / 30000,
        ),
        (
            "ttp:frameRate='30' ttp:frameRateMultiplier='999 1000' ttp:dropMode='dropPAL'",
            "00:20:00:00",
            (36000 - 36) / 29.97,
        ),
    ],
)
def test_smpte_time_code(rates, begin, seconds):
    assert read(SMPTE.format(rates=rates, begin=begin))[0].span.start == pytest.approx(seconds, abs=1e-9)


@pytest.mark.parametrize(
    "marked",
    [
        "<span tts:ruby='base'>木</span><span tts:ruby='text'>き</span>",
        "<span tts:ruby='base'>木</span><span style='above'>き</span>",
        "<span tts:ruby='base'>木</span>"
        "<span tts:ruby='textContainer'><span tts:ruby='text'>き</span></span>",
    ],
)
def test_reading_aids_are_not_said(marked):
    text = (
        "<tt xmlns='http://www.w3.org/ns/ttml' xmlns:tts='http://www.w3.org/ns/ttml#styling'><head><styling>"
        "<style xml:id='above' tts:ruby='text'/></styling></head><body><div><p begin='1s' end='3s'>"
        f"<span tts:ruby='container'>{marked}</span>を切る</p></div></body></tt>"
    )
    assert [caption.text for caption in read(text)] == ["木を切る"]


EBU = """<tt:tt xmlns:tt="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"
    xmlns:ebuttm="urn:ebu:tt:metadata" ttp:timeBase="smpte" ttp:frameRate="25" ttp:dropMode="nonDrop">
  <tt:head><tt:metadata><ebuttm:documentMetadata>
    <ebuttm:documentStartOfProgramme>{start}</ebuttm:documentStartOfProgramme>
  </ebuttm:documentMetadata></tt:metadata></tt:head>
  <tt:body><tt:div><tt:p begin="{begin}" end="{end}">Good evening.</tt:p></tt:div></tt:body>
</tt:tt>
"""


@pytest.mark.parametrize(
    ("start", "begin", "end"),
    [
        ("10:00:00:00", "10:00:02:05", "10:00:04:10"),
        ("00:00:00:00", "00:00:02:05", "00:00:04:10"),
        ("10:00:00:00", "00:00:02:05", "00:00:04:10"),  # declared, but the times count from it already
        ("nonsense", "00:00:02:05", "00:00:04:10"),
    ],
)
def test_the_start_of_a_programme_of_ebu_tt_is_second_0(start, begin, end):
    document = EBU.format(start=start, begin=begin, end=end)
    (line,) = read(document)
    assert (round(line.span.start, 6), round(line.span.end, 6), line.text) == (2.2, 4.4, "Good evening.")


def test_a_programme_starts_with_its_first_caption_or_before():
    both = EBU.replace(
        "</tt:div>", '<tt:p begin="{early}" end="10:00:01:00">Before.</tt:p></tt:div>'
    ).replace("{start}", "10:00:00:00")
    times = {"begin": "10:00:02:05", "end": "10:00:04:10"}
    exact = read(both.format(**times, early="10:00:00:00"))
    assert sorted(round(line.span.start, 6) for line in exact) == [0.0, 2.2]
    earlier = read(both.format(**times, early="09:59:58:00"))  # so the times count from the file's start
    assert sorted(round(line.span.start, 6) for line in earlier) == [35998.0, 36002.2]


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("a <span style='plain'>b</span> c", "a b c"),
        ("a <span style='above'>b<br/>b</span> c", "a c"),
        ("a <span tts:ruby='text'>b<span>b</span>b</span> c", "a c"),
        ("a <br tts:ruby='text'/>b <span style='other'>c</span>", "a b c"),
    ],
)
def test_only_styles_of_reading_aids_silence_words(marked, said):
    styles = "<style xml:id='plain'/><style xml:id='above' tts:ruby='text'/>"
    text = (
        f"<tt xmlns='http://www.w3.org/ns/ttml' xmlns:tts='http://www.w3.org/ns/ttml#styling'>"
        f"<head><styling>{styles}</styling></head>"
        f"<body><div><p begin='1s' end='3s'>{marked}</p></div></body></tt>"
    )
    assert [caption.text for caption in read(text)] == [said]


@pytest.mark.parametrize(
    ("body", "times", "ends"),
    [("", 'end="4s" dur="2s"', 3.0), ("", 'end="2s" dur="9s"', 2.0), (' end="5s"', 'end="9s"', 5.0)],
)
def test_an_element_ends_at_its_earliest_end(body, times, ends):
    paragraph = f'<div><p begin="1s" {times}>hi</p></div>'
    text = f'<tt xmlns="http://www.w3.org/ns/ttml"><body{body}>{paragraph}</body></tt>'
    assert [caption.span for caption in read(text)] == [Span(1.0, ends)]
