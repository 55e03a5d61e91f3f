"""Checks every input of the field reports: what it must give, what it gives.

    python benchmarks/field_reports.py ../shared/data/reports [--only captions]

A check is a row of the table below: the report's folder, what kind of fault it stands
for, and a function that looks at the folder and returns pairs (expected, found). Other
areas add rows of their own. Exit 0 only if every row is right; an exception is a wrong
answer, and a folder of reports that no row checks is listed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.alignment import fit_clock
from sayso.core.errors import SaysoError
from sayso.core.types import Span
from sayso.data import read_captioned, read_corpus
from sayso.data.tags_reader import read_boxes, read_tagged
from sayso.encoders.interface import ClipSpec
from sayso.engine.segment import Job, cut_clips
from sayso.media import probe, read_clip, read_image, stream_frames
from sayso.people import find_shots
from sayso.systems.align_script import AlignOptions, run
from sayso.text import find_subtitles, read_caption_file, read_screenplay
from sayso.text.screenplay.elements import Screenplay

DRAWN = re.compile(r"1 0 0 1 (\d+) \d+ Tm \(((?:[^()\\]|\\.)*)\) Tj")
Pairs = Iterator[tuple[str, object, object]]


@dataclass(frozen=True)
class Check:
    """One row: the point of the issue, the report's folder, its kind, and what to look at."""

    number: str
    folder: str
    kind: str
    pairs: Callable[[Path], Pairs]


def spoken(screenplay: Screenplay) -> list[tuple[str | None, str]]:
    """Return who says what, in order."""
    return [(element.speaker, element.text) for element in screenplay.of_kind("dialogue")]


def speeches(screenplay: Screenplay) -> dict[str | None, int]:
    """Return how many speeches each speaker has."""
    return dict(Counter(element.speaker for element in screenplay.of_kind("dialogue")))


def headings(path: Path) -> list[str]:
    """Return the scene headings of a file."""
    return [element.text for element in read_screenplay(path).of_kind("heading")]


def captions(path: Path) -> list[tuple[float, float, str]]:
    """Return a file's captions to the millisecond; a problem is a wrong answer."""
    found = read_caption_file(path)
    if found.problems:
        raise found.problems[0]
    return [(round(one.span.start, 3), round(one.span.end, 3), one.text) for one in found.captions]


def pdf_page_margin(folder: Path) -> Pairs:
    """Pages that do not all begin at the same left column."""
    yield "talky.pdf", {"ANNA": 4, "BEN": 4}, speeches(read_screenplay(folder / "talky.pdf"))
    for name, count in (("talky.pdf", 8), ("shooting.pdf", 64), ("big_True_9.pdf", 442)):
        drawn = drawn_speeches(folder / name)
        right = Counter(drawn) & Counter(spoken(read_screenplay(folder / name)))
        yield f"{name}: speeches drawn", count, len(drawn)
        yield f"{name}: share read right", 1.0, round(sum(right.values()) / len(drawn), 4)


def drawn_speeches(path: Path) -> list[tuple[str | None, str]]:
    """Return who says what by where ReportLab drew it: cues at x = 252, their words at x = 180."""
    import pypdf

    said: list[tuple[str | None, str]] = []
    for page in pypdf.PdfReader(path).pages:
        content = page.get_contents()
        for x, words in DRAWN.findall(content.get_data().decode("latin-1") if content is not None else ""):
            text = re.sub(r"\\(.)", r"\1", words)
            if x == "252" and not text.startswith("("):
                said.append((text, ""))
            elif x == "180" and not text.startswith("("):
                said[-1] = (said[-1][0], f"{said[-1][1]} {text}".strip())
    return said


def mixed_case_cues(folder: Path) -> Pairs:
    """Cues in the cue column, whatever their case."""
    indented = read_screenplay(folder / "mixedcase_indented.txt")
    yield "mixedcase_indented.txt", {"McTAVISH": 2, "GUARD": 2, "DeLUCA": 1}, speeches(indented)
    lines = {"ANNA": 1, "ANNA'S MOTHER": 1, "Dr. KIM": 1, "VOICE FROM iPHONE": 1}
    yield "sublines.txt", lines, speeches(read_screenplay(folder / "sublines.txt"))
    yield "imsdb.html", {"McTAVISH": 2, "GUARD": 1}, speeches(read_screenplay(folder / "imsdb.html"))
    flat = read_screenplay(folder / "mixedcase_flat.fountain")
    yield "mixedcase_flat.fountain: a doubt", [5], [doubt.line for doubt in flat.doubts]


def pdf_dual_dialogue(folder: Path) -> Pairs:
    """Two people who speak at the same time, side by side."""
    both = [
        ("ANNA", "To the house that we built by hand.", False),
        ("BEN", "To the boat that we never finished.", True),
    ]
    for name in ("dual_cols.txt", "dual.pdf"):
        screenplay = read_screenplay(folder / name)
        found = [(one.speaker, one.text, one.dual) for one in screenplay.of_kind("dialogue")]
        yield name, both, found[:2]
    rest = [
        ("ANNA", "One more."),
        ("BEN", "Why not."),
        ("ANNA", "Because the night is long and the road is longer than you believe."),
        ("BEN", "Wait."),
    ]
    yield "dual.pdf, page 2", rest, spoken(read_screenplay(folder / "dual.pdf"))[2:]


def final_draft(folder: Path) -> Pairs:
    """Final Draft's XML."""
    screenplay = read_screenplay(folder / "kitchen.fdx")
    kinds = ["heading", "description", "parenthetical", "dialogue", "dialogue", "dialogue", "transition"]
    yield "kinds", kinds, [element.kind for element in screenplay.elements]
    said = [("ANNA", "Come here, now."), ("ANNA", "Yes!"), ("McGREGOR", "No!")]
    yield "kitchen.fdx", said, spoken(screenplay)


def other_headings(folder: Path) -> Pairs:
    """Scene headings in German, French and Russian."""
    german = ["INNEN. KÜCHE - TAG", "AUSSEN. GARTEN - NACHT", "INT./EXT. AUTO - TAG"]
    yield "german.fountain", german, headings(folder / "german.fountain")
    french = ["INTÉRIEUR CUISINE - JOUR", "EXTÉRIEUR JARDIN - NUIT"]
    yield "french.fountain", french, headings(folder / "french.fountain")
    yield "russian.fountain", ["ИНТ. КУХНЯ - ДЕНЬ", "НАТ. САД - НОЧЬ"], headings(folder / "russian.fountain")
    indented = read_screenplay(folder / "german_indented.txt")
    yield "numbers", ["1", "2"], [element.number for element in indented.of_kind("heading")]
    yield "german_indented.txt", german[:2], [element.text for element in indented.of_kind("heading")]


def two_spaces(folder: Path) -> Pairs:
    """A line of two spaces inside a speech."""
    said = [("JULIA", "The first part of it. The second part of it.")]
    yield "two_space.fountain", said, spoken(read_screenplay(folder / "two_space.fountain"))


def smpte_ttml(folder: Path) -> Pairs:
    """SMPTE time code: true rates and drop frames."""
    starts = {
        "film.itt": [10.010, 3603.600, 6006.000],
        "film999.itt": [10.010, 3603.604, 6006.006],
        "drop.itt": [599.999, 3599.996],
    }
    for name, expected in starts.items():
        yield name, expected, [start for start, *_ in captions(folder / name)]


def hls_webvtt(folder: Path) -> Pairs:
    """Segments of HLS, each with its own clock, in one file."""
    first = (1.0, 3.0, "first we sand the board")
    joined = [first, (8.0, 10.0, "then we oil it"), (12.5, 14.0, "and let it dry")]
    yield "hls_concat.vtt", joined, captions(folder / "hls_concat.vtt")
    same = [first, (5.0, 7.0, "then we oil it"), (8.0, 9.0, "and let it dry")]
    yield "hls_concat_abs.vtt", same, captions(folder / "hls_concat_abs.vtt")
    yield "hls_one.vtt", [first], captions(folder / "hls_one.vtt")


def json3_styled(folder: Path) -> Pairs:
    """Uploaded captions with coloured words."""
    for name in ("styled.json3", "styled2.json3"):
        times = [(start, end) for start, end, _ in captions(folder / name)]
        yield name, [(1.0, 6.0), (7.0, 11.0), (12.0, 16.0)], times


def ass_drawings(folder: Path) -> Pairs:
    """Words and drawings in one event."""
    draw = [text for *_, text in captions(folder / "draw.ass")]
    yield "draw.ass", ["Hello there", "Cut the onion", "Fry the onion", "Use salt and pepper", "late"], draw
    textdraw = [(1.0, 3.0, "Cut the onion here"), (7.0, 9.0, "Fry it")]
    yield "textdraw.ass", textdraw, captions(folder / "textdraw.ass")


def ttml_ruby(folder: Path) -> Pairs:
    """Reading aids above words."""
    yield "ruby.ttml", [(1.0, 3.0, "木を切る")], captions(folder / "ruby.ttml")


def speaker_prefix(folder: Path) -> Pairs:
    """Who speaks, before the words of diarised captions."""
    expected = {
        "whisperx.srt": [("SPEAKER_00", "Hand me the wrench."), ("SPEAKER_01", "Here you are.")],
        "whispercpp.srt": [("speaker 0", "Sand the board"), ("speaker 1", "and then oil it.")],
    }
    for name, said in expected.items():
        yield name, said, [(one.speaker, one.text) for one in read_caption_file(folder / name).captions]


def youtube_style_header(folder: Path) -> Pairs:
    """A style sheet after a blank line."""
    yield (
        "yt_style_blank.vtt",
        [(1.852, 6.991, "Sand the board first")],
        captions(folder / "yt_style_blank.vtt"),
    )


def microdvd_beside(folder: Path) -> Pairs:
    """Frame numbers, and the video beside the file that says its rate."""
    yield "a.sub", [(1.0, 3.0), (4.0, 6.0)], [(start, end) for start, end, _ in captions(folder / "a.sub")]


def sidecar_names(folder: Path) -> Pairs:
    """How people and programs name the captions of a video."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        for video in sorted(Path(copy).glob("*.mp4")):
            beside = [
                path.name for path in Path(copy).glob("*.srt") if path.name.startswith(video.stem + ".")
            ]
            found = find_subtitles(video)
            yield video.name, beside, [found.name] if found else []


def number_on(frame: NDArray[np.uint8]) -> int:
    """Return the number that a frame of the reports carries: twelve blocks of 16 pixels, least bit left."""
    light = frame[8, 8::16].mean(-1)[:12] > 128
    return int((light << np.arange(12)).sum())


def numbers(path: Path, *seconds: float) -> list[int]:
    """Return the numbers of the frames on screen at some seconds."""
    clips = (read_clip(path, second - 0.01, second + 0.01, frames=1) for second in seconds)
    return [number_on(clip.frames[0]) for clip in clips]


def late_video(folder: Path) -> Pairs:
    """Pictures that begin after the sound: captions and frames agree."""
    for name in ("late6.mp4", "late6.mkv", "late6.webm"):
        path = folder / name
        yield f"{name}: first picture", 6.0, round(probe(path).start, 3)
        yield f"{name}: at 8.02, 8.5, 9.98 s", [50, 62, 99], numbers(path, 8.02, 8.5, 9.98)
        spans = tuple(Span(start, end) for start, end, _ in captions(folder / "late6.srt"))
        job = Job(os.fspath(path), "video", 4.0, spans)
        clips = list(cut_clips(job, ClipSpec(frames=1, fps=1.0, size=64)))
        yield f"{name}: captions", list(spans), [clip.span for clip in clips]
        cut = [
            clip.span.start for clip in cut_clips(Job(os.fspath(path), "video", 4.0), ClipSpec(2, 1.0, 64))
        ]
        yield f"{name}: windows", [6.0, 8.0, 12.0, 16.0, 20.0], cut


def clock_restarts(folder: Path) -> Pairs:
    """Two recordings joined in one transport stream."""
    path = folder / "cat.ts"
    yield "cat.ts: duration", 14.28, round(probe(path).duration or 0.0, 3)
    yield "cat.ts: clips", [125, 268, 343], numbers(path, 5.02, 9.02, 12.02)
    streamed = [number_on(frame) for _, frame in stream_frames(path, fps=25)]
    yield "cat.ts: stream", [125, 268, 343], [streamed[at] for at in (125, 225, 300)]


def false_damage(folder: Path) -> Pairs:
    """A header that promises more than the file holds."""
    yield "vfr.webm", 32, len(list(stream_frames(folder / "vfr.webm", fps=2)))
    yield "vfr.webm: duration", 16.0, round(probe(folder / "vfr.webm").duration or 0.0, 1)


def hdr_video(folder: Path) -> Pairs:
    """High dynamic range, in the colours of SDR."""
    bars = [(255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (190, 140, 110), (64, 64, 64)]
    for name in ("hdr10.mp4", "hlg.mp4"):
        frame = read_clip(folder / name, 0.0, 0.04, frames=1).frames[0]
        middles = frame[frame.shape[0] // 2, frame.shape[1] // 12 :: frame.shape[1] // 6].astype(int)
        off = np.abs(middles - bars)
        yield f"{name}: greys, skin within 2", True, bool(off[[0, 4, 5]].max() <= 2)
        yield f"{name}: all within 30", True, bool(off.max() <= 30)  # ten bits are coarse near black


def icc_profile(folder: Path) -> Pairs:
    """An embedded profile."""
    image = read_image(folder / "icc_swapped.png")
    found = [image.getpixel((x * image.width // 4, y * image.height // 4)) for y in (1, 3) for x in (1, 3)]
    expected = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 200, 200)]
    yield "icc_swapped.png within 6", True, bool(np.abs(np.subtract(found, expected)).max() <= 6)


def flashes(folder: Path) -> Pairs:
    """A flash is no cut."""
    for name in ("flash3.mp4", "flash6.mp4"):
        yield name, 1, len(find_shots(folder / name).spans)


def align_other_cut(folder: Path) -> Pairs:
    """Subtitles of a copy with a break for advertisements that the film has not."""
    reference = read_caption_file(folder / "ref.srt").captions
    clock = fit_clock(read_caption_file(folder / "film.srt").captions, reference)
    yield "rate, offsets", (1.0, [0.0, -120.0]), (clock.rate, [round(p.offset_s, 2) for p in clock.pieces])
    options = AlignOptions(reference=folder / "ref.srt")
    lines = run(folder / "film.fountain", folder / "film.srt", options).aligned.captions()
    yield "lines", len(reference), len(lines)
    pairs = zip(lines, reference, strict=True)
    far = [max(abs(a.span.start - b.span.start), abs(a.span.end - b.span.end)) for a, b in pairs]
    yield "lines more than 0.1 s off", 0, sum(one > 0.1 for one in far)


def tagged(path: Path, **how: str) -> tuple[dict[str, list[str]], int, int]:
    """Return which tags each picture has, and how many pictures are missing and records left out."""
    found = read_tagged(path, **how)  # type: ignore[arg-type]
    tags = {
        one.path.name: [name for name, label in zip(found.names, one.labels, strict=True) if label == 1]
        for one in found.pictures
    }
    return tags, len(found.missing), len(found.failures)


def coco_dangling(folder: Path) -> Pairs:
    """An annotation of a picture that is not listed."""
    expected = {"a.jpg": ["dog"], "b.jpg": ["cat"]}
    yield "instances.json", (expected, 0, 1), tagged(folder / "instances.json")


def coco_nobox(folder: Path) -> Pairs:
    """Annotations with a mask alone, and with an empty box."""
    found = read_tagged(folder)
    boxes = read_boxes(folder, found)
    edges = [[(one.box.x0, one.box.y0, one.box.x1, one.box.y1) for one in row] for row in boxes]
    yield "boxes", [[(1, 1, 6, 6)], [(1, 1, 5, 5)]], edges
    yield "left out", 1, len(boxes.failures)


def coco_ids(folder: Path) -> Pairs:
    """Ids that are no numbers."""
    yield "instances.json", ({"a.jpg": ["dog"]}, 0, 0), tagged(folder / "instances.json")
    yield "boxes", [1], [len(row) for row in read_boxes(folder, read_tagged(folder))]


def coco_winpath(folder: Path) -> Pairs:
    """Names of files as Windows writes them."""
    yield "instances.json", ({"a.jpg": ["dog"], "b.jpg": ["cat"]}, 0, 0), tagged(folder / "instances.json")


def coco_captions(folder: Path) -> Pairs:
    """Captions of no picture, and without words."""
    listed = json.loads((folder / "captions.json").read_text())["annotations"]
    found = read_captioned(folder / "captions.json")
    yield "captions", len(listed) - 2, len(found.texts)
    yield "left out", 2, len(found.failures)
    yield "pictures without captions", 1, len(set(range(len(found.pictures))) - set(found.owners))


def voc_png(folder: Path) -> Pairs:
    """Pictures of other formats than .jpg."""
    both = ["cat", "dog"]
    expected = {"a1.png": both, "a2.jpg": ["dog"], "a3.JPG": both, "a4.jpeg": ["dog"]}
    yield "pictures", (expected, 0, 0), tagged(folder)


def voc_bad(folder: Path) -> Pairs:
    """An empty annotation."""
    yield "pictures", ({"d0.jpg": ["dog"], "d2.jpg": ["dog"]}, 0, 1), tagged(folder)


def voc_space(folder: Path) -> Pairs:
    """Ids with a blank."""
    expected = {"IMG 001.jpg": ["dog"], "IMG 002.jpg": ["cat"]}
    yield "split train", (expected, 0, 0), tagged(folder, split="train")


def shard_dots(folder: Path) -> Pairs:
    """Names with more than one dot."""
    corpus = read_corpus(folder / "dots.tar")
    yield "videos", ["talk.v1", "talk.v2", "x/y"], sorted(corpus.ids)
    yield "captions, missing", (3, 0), (corpus.captions, len(corpus.missing))


CHECKS = (
    Check("1", "pdf_page_margin", "PDF margins", pdf_page_margin),
    Check("2", "mixed_case_cues", "cues in any case", mixed_case_cues),
    Check("3", "pdf_dual_dialogue", "dual dialogue", pdf_dual_dialogue),
    Check("3", "final_draft_fdx", "Final Draft", final_draft),
    Check("3", "headings_other_languages", "headings", other_headings),
    Check("3", "fountain_two_spaces", "two spaces", two_spaces),
    Check("4", "smpte_ttml", "SMPTE time code", smpte_ttml),
    Check("4", "hls_webvtt", "HLS segments", hls_webvtt),
    Check("4", "json3_styled", "styled json3", json3_styled),
    Check("4", "ass_drawings", "drawings", ass_drawings),
    Check("4", "ttml_ruby", "ruby", ttml_ruby),
    Check("4", "speaker_prefix", "diarised", speaker_prefix),
    Check("4", "youtube_style_header", "style header", youtube_style_header),
    Check("4", "microdvd_beside", "frame numbers", microdvd_beside),
    Check("5", "sidecar_names", "side files", sidecar_names),
    Check("6", "captions_of_late_video", "late pictures", late_video),
    Check("7", "ts_clock_restarts", "clock restarts", clock_restarts),
    Check("8", "false_damage", "lying header", false_damage),
    Check("9", "hdr_video", "HDR", hdr_video),
    Check("9", "icc_profile", "colour profile", icc_profile),
    Check("10", "flash_of_three_frames", "flashes", flashes),
    Check("11", "align_other_cut", "other cuts", align_other_cut),
    Check("12", "coco_dangling", "stray records", coco_dangling),
    Check("12", "coco_nobox", "boxes from masks", coco_nobox),
    Check("12", "coco_strid", "ids of any kind", coco_ids),
    Check("12", "coco_uuid", "ids of any kind", coco_ids),
    Check("12", "coco_winpath", "Windows paths", coco_winpath),
    Check("12", "coco_captions_dangling", "stray captions", coco_captions),
    Check("12", "voc_png", "picture formats", voc_png),
    Check("12", "voc_bad", "bad annotations", voc_bad),
    Check("12", "voc_space", "ids with blanks", voc_space),
    Check("12", "shard_dots", "names with dots", shard_dots),
)


def rows(check: Check, reports: Path) -> Iterator[tuple[str, object, object, bool]]:
    """Yield what is looked at, what is expected, what was found, and whether they agree."""
    try:
        for what, expected, found in check.pairs(reports / check.folder):
            yield what, expected, found, expected == found
    except SaysoError as error:
        yield check.folder, "no error", str(error), False
    except Exception as error:  # noqa: BLE001  whatever it is, the answer is wrong
        yield check.folder, "no error", f"{type(error).__name__}: {error}", False


def main() -> int:
    """Print the table; return 0 if every row is right."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("reports", type=Path, help="the folder of reports")
    parser.add_argument("--only", help="folders whose name holds this")
    options = parser.parse_args()
    wrong = 0
    for check in CHECKS:
        if options.only and options.only not in check.folder:
            continue
        for what, expected, found, ok in rows(check, options.reports):
            wrong += not ok
            mark = "ok   " if ok else "WRONG"
            print(f"{mark} {check.number:>3}  {check.kind:16}  {what:34}  {str(found)[:90]}")
            if not ok:
                print(f"{'':30}expected {expected}")
    known = {check.folder for check in CHECKS}
    missing = sorted(
        path.name for path in options.reports.iterdir() if path.is_dir() and path.name not in known
    )
    print(f"{wrong} wrong; no row here for: {', '.join(missing) or 'none'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
