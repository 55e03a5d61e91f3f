"""Moments as files for other programs, read back by OpenTimelineIO, csv, pysubs2 and ElementTree."""

from __future__ import annotations

import csv
import io
import json
import logging
import random
import re
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from sayso.core.errors import SaysoError
from sayso.export.contact_sheet import contact_sheet
from sayso.export.edit_lists import edl, fcpxml, otio
from sayso.export.frame_rates import RATES, drops_frames, edit_rate, frame_after, frame_at, time_code
from sayso.export.moment_files import moments_as, moments_csv, moments_srt
from sayso.export.reel import Source, lay_out, read_sources

FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)


def row(path: str, start_s: float, end_s: float, **more) -> dict:
    given = {"kind": "video", "title": Path(path).stem, "text": "", "seen": "", "duration_s": 7200.0}
    return {"path": path, "start_s": start_s, "end_s": end_s, "score": 0.5, **given, **more}


def source(path: str, rate: Fraction, *, has_audio: bool = True) -> Source:
    return Source(path, rate, frame_after(7200, rate), 1920, 1080, has_audio)


def reel_of(rate: Fraction, rows: list[dict] | None = None):
    """A reel of three moments, one of them after an hour, at one rate."""
    rows = rows or [
        row("/films/My film's <1>.mov", 59.5, 61.25, text="a  minute\npassed"),
        row("/films/other.mov", 3599.9, 3605.0),
        row("/films/My film's <1>.mov", 0.0, 0.5),
    ]
    return lay_out(rows, {one["path"]: source(one["path"], rate) for one in rows}, "dogs & cats")


# --- rates and time code -------------------------------------------------------------------------


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("rate", RATES)
def test_time_code_counts_as_a_counter_that_skips_numbers(rate, drop):
    base = round(rate)
    if drop and not drops_frames(rate):
        return
    skipped = range(base // 15) if drop else range(0)
    wanted = {0, 1, 1797, 1798, 1799, 1800, 1801, 1802, 17981, 17982, 17983, 35963, 35964}
    frame = 0
    for minute in range(21):
        for second in range(60):
            for number in range(base):
                if drop and minute % 10 and second == 0 and number in skipped:
                    continue
                if frame in wanted or (second, number) in ((0, 0), (0, 2), (0, 4), (59, base - 1)):
                    says = f"00:{minute:02d}:{second:02d}{';' if drop else ':'}{number:02d}"
                    assert time_code(frame, rate, drop=drop) == says
                frame += 1


@pytest.mark.parametrize("rate", RATES)
def test_time_code_is_that_of_opentimelineio(rate):
    opentime = pytest.importorskip("opentimelineio").opentime
    rng = random.Random(5)
    for frame in (0, *(rng.randrange(24 * 3600 * round(rate) - 5000) for _ in range(400))):
        theirs = opentime.to_timecode(
            opentime.RationalTime(frame, float(rate)), float(rate), drops_frames(rate)
        )
        assert time_code(frame, rate) == theirs


def test_drop_frame_keeps_up_with_the_clock_and_non_drop_does_not():
    hour = frame_at(3600, NTSC)
    assert time_code(hour, NTSC) == "01:00:00;00"
    assert time_code(hour, NTSC, drop=False) == "00:59:56:12"
    assert time_code(frame_at(3600, FILM), FILM) == "00:59:56:09"


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        *[(23.976, FILM), (23.98, FILM), (24.0, 24), (25, 25), (29.97, NTSC), (29.93, NTSC), (30.0, 30)],
        *[(59.94, Fraction(60000, 1001)), (15.0, FILM), (12.5, FILM), (120.0, 60), (None, 25), (0.0, 25)],
        (28.0, NTSC),
    ],
)
def test_the_rate_that_an_editing_program_takes(fps, rate):
    assert edit_rate(fps) == rate


@pytest.mark.parametrize("rate", RATES)
def test_the_time_of_a_frame_is_in_that_frame(rate):
    for frame in range(0, 300_000, 997):
        assert frame_at(round(float(frame / rate), 6), rate) == frame
        assert frame_after(round(float(frame / rate), 6), rate) == frame


# --- editing programs ----------------------------------------------------------------------------


@pytest.mark.parametrize("rate", RATES)
def test_shots_cover_their_moments_and_touch(rate):
    reel = reel_of(rate)
    at = 0
    for shot, (start_s, end_s) in zip(reel.shots, [(59.5, 61.25), (3599.9, 3605.0), (0.0, 0.5)], strict=True):
        assert shot.at == at
        at += shot.frames
        assert float(shot.first / rate) <= start_s + 1e-4 < float((shot.first + 1) / rate) + 1e-3
        end = Fraction(shot.first + shot.frames) / rate
        assert end_s - 1e-4 <= float(end) < end_s + float(1 / rate) + 1e-4
    assert reel.frames == at


@pytest.mark.parametrize("rate", RATES)
def test_an_edl_is_read_back_by_opentimelineio(rate):
    adapters = pytest.importorskip("opentimelineio").adapters
    pytest.importorskip("otio_cmx3600_adapter")
    reel = reel_of(rate)
    text = edl(reel)
    assert ("FCM: DROP FRAME" in text) == drops_frames(rate) == (";" in text.split("* ")[0])
    timeline = adapters.read_from_string(text, "cmx_3600", rate=float(rate))
    track = next(track for track in timeline.tracks if track.kind == "Video")
    clips = list(track.find_clips())
    assert [clip.source_range.start_time.value for clip in clips] == [shot.first for shot in reel.shots]
    assert [clip.source_range.duration.value for clip in clips] == [shot.frames for shot in reel.shots]
    assert [track.range_of_child(clip).start_time.value for clip in clips] == [shot.at for shot in reel.shots]
    assert [clip.name for clip in clips] == ["My film's <1>.mov", "other.mov", "My film's <1>.mov"]
    assert timeline.name == "dogs & cats"


def test_an_edl_of_2997_in_full():
    reel = reel_of(NTSC, [row("/films/Tag eins.mov", 60.06, 62.062, text="the first\nday")])
    assert edl(reel).splitlines() == [
        "TITLE: dogs & cats",
        "FCM: DROP FRAME",
        "",
        "001  TAGEINS  B     C        00:01:00;02 00:01:02;02 00:00:00;00 00:00:02;00",
        "* FROM CLIP NAME: Tag eins.mov",
        "* SOURCE FILE: /films/Tag eins.mov",
        "* COMMENT: the first day",
    ]


def seconds(text: str) -> Fraction:
    assert re.fullmatch(r"\d+(/\d+)?s", text)
    return Fraction(text[:-1])


@pytest.mark.parametrize("rate", RATES)
def test_every_time_of_an_fcpxml_lies_on_a_frame(rate):
    reel = reel_of(rate)
    text = fcpxml(reel)
    root = ET.fromstring(text.split("<!DOCTYPE fcpxml>")[1])
    formats = {one.get("id"): seconds(one.get("frameDuration")) for one in root.iter("format")}
    assert set(formats.values()) == {1 / rate}
    clips = list(root.iter("asset-clip"))
    at = Fraction(0)
    for clip, shot in zip(clips, reel.shots, strict=True):
        assert seconds(clip.get("offset")) == at
        assert seconds(clip.get("start")) == shot.first / rate
        assert seconds(clip.get("duration")) == shot.frames / rate
        at += seconds(clip.get("duration"))
        assert clip.find("conform-rate") is None
    assert seconds(root.find(".//sequence").get("duration")) == at
    assert root.find(".//sequence").get("tcFormat") == ("DF" if drops_frames(rate) else "NDF")
    assets = {one.get("id"): one for one in root.iter("asset")}
    assert len(assets) == 2, "one asset a file"
    assert assets[clips[0].get("ref")].get("src") == "file:///films/My%20film%27s%20%3C1%3E.mov"
    assert clips[0].find("note").text == "a minute passed"
    assert {one.get("format") for one in assets.values()} <= formats.keys()


@pytest.mark.parametrize("rate", [FILM, NTSC, Fraction(25)])
def test_opentimelineio_reads_the_fcpxml(rate):
    adapters = pytest.importorskip("opentimelineio").adapters
    pytest.importorskip("otio_fcpx_xml_adapter")
    read = adapters.read_from_string(fcpxml(reel_of(rate)), "fcpx_xml")
    assert {clip.name for clip in read.find_clips()} == {"My film's <1>", "other"}


@pytest.mark.parametrize("rate", RATES)
def test_an_otio_is_read_back_by_opentimelineio(rate):
    library = pytest.importorskip("opentimelineio")
    reel = reel_of(rate)
    timeline = library.adapters.read_from_string(otio(reel), "otio_json")
    assert (timeline.name, [track.kind for track in timeline.tracks]) == ("dogs & cats", ["Video", "Audio"])
    for track in timeline.tracks:
        clips = list(track.find_clips())
        assert [clip.source_range.start_time.value for clip in clips] == [shot.first for shot in reel.shots]
        assert [track.range_of_child(clip).start_time.value for clip in clips] == [
            one.at for one in reel.shots
        ]
        assert clips[0].media_reference.target_url == "file:///films/My%20film%27s%20%3C1%3E.mov"
        assert clips[0].media_reference.available_range.duration.value == frame_after(7200, rate)
        assert clips[0].metadata["sayso"]["note"] == "a minute passed"
    assert timeline.duration().rate == float(rate)
    assert timeline.duration().value == reel.frames


def test_sources_of_other_rates_keep_their_speed():
    rows = [row("/a.mov", 10, 12), row("/b.mov", 100, 102, text="x"), row("/a.mov", 20, 21)]
    sources = {"/a.mov": source("/a.mov", FILM), "/b.mov": source("/b.mov", Fraction(30), has_audio=False)}
    reel = lay_out(rows, sources, "mixed")
    assert reel.rate == FILM
    assert reel.shots[1].first == 3000
    root = ET.fromstring(fcpxml(reel).split("<!DOCTYPE fcpxml>")[1])
    clips = list(root.iter("asset-clip"))
    assert [clip.find("conform-rate") is not None for clip in clips] == [False, True, False]
    assert seconds(clips[1].get("start")) == 100
    assert seconds(clips[1].get("duration")) % (1 / FILM) == 0
    line = next(line for line in edl(reel).splitlines() if line.startswith("002"))
    assert line.split()[2] == "V"
    assert line.split()[4] == time_code(round(100 * FILM), FILM)
    library = pytest.importorskip("opentimelineio")
    timeline = library.adapters.read_from_string(otio(reel), "otio_json")
    assert timeline.tracks[1][1].schema_name() == "Gap", "no sound in the second"


def test_pictures_are_left_out_and_that_is_said(caplog):
    rows = [row("/a.mov", 1, 2), row("/p.jpg", 0, 0, kind="picture", duration_s=None)]
    with caplog.at_level(logging.WARNING):
        assert len(lay_out(rows, {"/a.mov": source("/a.mov", NTSC)}, "x").shots) == 1
    assert "left out, since pictures have no time: 1" in caplog.text
    with pytest.raises(SaysoError, match="no moment of a video"):
        lay_out(rows[1:], {}, "x")


def test_rates_are_read_from_the_files(tmp_path):
    from media import films

    films.make(tmp_path / "a.mp4", 30, fps=FILM)
    rows = [row(str(tmp_path / "a.mp4"), 0.5, 1, duration_s=1.25), row(str(tmp_path / "gone.mp4"), 1, 2)]
    found = read_sources(rows)
    one = found[str(tmp_path / "a.mp4")]
    assert (one.rate, one.frames, one.width, one.height, one.has_audio) == (FILM, 30, 96, 72, False)
    assert found[str(tmp_path / "gone.mp4")].rate == 25
    assert "FCM: NON-DROP FRAME" in moments_as("edl", rows, "x")


# --- tables, subtitles, sheets -------------------------------------------------------------------


def test_a_csv_has_every_field_and_the_manifests_columns():
    rows = [
        row(
            "/a,b.mov",
            1.25,
            2,
            text='he said "no"\ntwice',
            meta={"who": "Ilsa"},
            thumb="thumb/x",
            spoken=0.25,
        ),
        row("/c.mov", 3, 4, spoken=None, meta={"year": 1942}),
    ]
    read = list(csv.DictReader(io.StringIO(moments_csv(rows))))
    assert list(read[0])[:6] == ["path", "title", "kind", "start_s", "end_s", "duration_s"]
    assert (read[0]["path"], read[0]["text"], read[0]["spoken"]) == (
        "/a,b.mov",
        'he said "no"\ntwice',
        "0.25",
    )
    assert [(one["meta.who"], one["meta.year"], one["score"]) for one in read] == [
        ("Ilsa", "", "0.5"),
        ("", "1942", "0.5"),
    ]
    assert not {"thumb", "meta"} & set(read[0])
    assert moments_csv([]).strip() == "path,title,kind,start_s,end_s,duration_s"


def test_subtitles_of_one_video_have_its_times_and_of_several_those_of_the_reel():
    pysubs2 = pytest.importorskip("pysubs2")
    one = [row("/a.mov", 10, 12.5, text="first"), row("/a.mov", 3, 4)]
    sources = {"/a.mov": source("/a.mov", NTSC), "/b.mov": source("/b.mov", NTSC)}
    events = list(pysubs2.SSAFile.from_string(moments_srt(lay_out(one, sources, "x"), one)))
    assert [(event.start, event.end, event.text) for event in events] == [
        (3000, 4000, "a"),
        (10000, 12500, "first"),
    ]
    two = [*one, row("/b.mov", 100, 101)]
    reel = lay_out(two, sources, "x")
    events = list(pysubs2.SSAFile.from_string(moments_srt(reel, two)))
    assert [event.text for event in events] == ["first", "a", "b"]
    assert [event.start for event in events] == [round(float(shot.at / NTSC) * 1000) for shot in reel.shots]


def test_json_is_what_search_says():
    assert json.loads(moments_as("json", [row("/a.mov", 1, 2)], "dog"))["hits"][0]["path"] == "/a.mov"


def test_a_contact_sheet_shows_every_moment_in_its_place():
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (0, 250, 250)]
    thumbs = []
    for k, colour in enumerate(colours):
        held = io.BytesIO()
        Image.new("RGB", (160, 90) if k % 2 else (90, 160), colour).save(held, "JPEG")
        thumbs.append(held.getvalue())
    rows = [row(f"/{'very long name ' * 9}{k}.mov", 61, 3700) for k in range(5)]
    sheet = Image.open(
        io.BytesIO(contact_sheet([*rows, row("/p.png", 0, 0, kind="picture")], [*thumbs, None]))
    )
    assert sheet.format == "PNG"
    middles = [sheet.getpixel((16 + 336 * (k % 3) + 160, 16 + 242 * (k // 3) + 90)) for k in range(6)]
    for (r, g, b), wanted in zip(middles, [*colours, (44, 41, 39)], strict=True):
        assert max(abs(r - wanted[0]), abs(g - wanted[1]), abs(b - wanted[2])) < 12
    margin = sheet.crop((338, 0, 350, sheet.height))
    assert margin.getextrema() == ((22, 22), (20, 20), (19, 19)), "long titles end in their own column"
