"""Names and actions drawn on a film, as on the slides of the lecture: a box, "P: REGGIE  A: AnswerPhone".

Boxes and labels are drawn into the planes of each picture, so that all else of it is encoded as it was; sound
is kept. The file takes its name when it is whole.
"""

from __future__ import annotations

import os
import re
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError, UsageError
from sayso.core.ownership import refuse_foreign
from sayso.core.progress import Progress, Silent
from sayso.core.types import Box
from sayso.export.lettering import lettering
from sayso.people.tracks import Track

if TYPE_CHECKING:
    from av import VideoFrame

Row = Mapping[str, Any]
Plane = NDArray[np.uint8]
FORMS = (".mp4", ".mkv")
WHOLE_S = 1e7  # longer than any film
LINE, TEXT = 1 / 180, 1 / 24  # of the picture's height: the width of a line, the size of letters
LEAST = 0.5  # the score below which a name has a question mark
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
NOBODY = (150, 150, 150)
COLOURS = (  # of the names, chosen by their letters
    *((255, 96, 60), (64, 180, 255), (90, 220, 90), (255, 210, 50), (230, 110, 255)),
    *((70, 230, 210), (255, 140, 180), (180, 200, 60), (140, 150, 255), (255, 170, 90)),
)


def check_overlay(target: str | os.PathLike[str]) -> None:
    """Refuse a file that an overlay cannot be written to, before long work.

    Raises:
        SaysoError: if its ending is no film's, or a foreign file is there.
    """
    if Path(target).suffix.lower() not in FORMS:
        raise UsageError(f"{target} does not say what to write; let it end in .mp4 or .mkv")
    refuse_foreign(target)


def draw_names(
    film: str | os.PathLike[str],
    tracks: Sequence[Track],
    rows: Sequence[Row],
    target: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
) -> int:
    """Write a film anew with the names and actions of its faces, and return how many pictures it has.

    Args:
        film: the video.
        tracks: N of them, boxes in the video's own pixels.
        rows: N, as of ``Naming.rows``: ``name``, ``score``, perhaps ``stranger`` and ``action``.
        target: the file; .mp4 or .mkv.
        progress: reports seconds.

    Raises:
        MediaError: if the film cannot be read.
        SaysoError: if no track says where its face is, or the target is foreign or cannot be written.
    """
    from sayso.media.container import open_video
    from sayso.media.cut_out import save_cut
    from sayso.media.header import probe

    check_overlay(target)
    if not any(track.box is not None or len(track.boxes) for track in tracks):
        raise SaysoError("no track says where its face is, so there is nothing to draw; give boxes")
    with open_video(film) as source:
        aspect = float(source.stream.sample_aspect_ratio or 1)
    known, bar, on_screen = probe(film), progress or Silent(), _by_second(tracks)
    labels = [(label_of(row), colour_of(row)) for row in rows]

    def paint(seconds: float, frame: VideoFrame) -> VideoFrame:
        bar.update(seconds, known.length, "overlay")
        shown = [
            (box, *labels[n])
            for n in on_screen.get(int(seconds), ())
            if tracks[n].span.start <= seconds < tracks[n].span.end and (box := tracks[n].at(seconds))
        ]
        return painted(frame, shown, aspect) if shown else frame

    return save_cut(film, 0.0, WHOLE_S, target, paint=paint).frames


def label_of(row: Row) -> str:
    """Return what is written beside a face: who it is, and what is done."""
    stranger = f"P: stranger {row['stranger']}" if row.get("stranger") else ""
    who = f"P: {row['name'].upper()}" if row["name"] is not None else stranger
    doubt = "?" if row["name"] is not None and row["score"] < LEAST else ""
    action = row.get("action")
    return "  ".join(
        part for part in (who + doubt, f"A: {_joined(action['name'])}" if action else "") if part
    )


def colour_of(row: Row) -> tuple[int, int, int]:
    """Return the colour of a face's box, red green blue: always the same for a name."""
    if row["name"] is None:
        return NOBODY
    return COLOURS[zlib.crc32(row["name"].encode()) % len(COLOURS)]


def painted(
    frame: VideoFrame, shown: Sequence[tuple[Box, str, tuple[int, int, int]]], aspect: float = 1.0
) -> VideoFrame:
    """Return a picture with boxes and labels drawn over it.

    Args:
        frame: in yuv420p.
        shown: the box in the picture's pixels, the label and the colour of each face.
        aspect: width of a pixel over its height.
    """
    from av import VideoFrame

    pixels = np.asarray(frame.to_ndarray(format="yuv420p"), dtype=np.uint8)
    canvas = _Canvas(pixels, frame.width, frame.height)
    for box, label, colour in shown:
        canvas.outline(Box(box.x0 / aspect, box.y0, box.x1 / aspect, box.y1), colour)
        if label:
            canvas.label(box.x0 / aspect, box, label, aspect)
    drawn = VideoFrame.from_ndarray(canvas.pixels, "yuv420p")
    drawn.pts, drawn.time_base, drawn.pict_type = frame.pts, frame.time_base, frame.pict_type
    drawn.colorspace, drawn.color_range = frame.colorspace, frame.color_range
    return drawn


class _Canvas:
    """The planes of a picture in yuv420p, to draw into.

    Args:
        pixels: of the picture, as PyAV gives them.
        width: of it.
        height: of it.
    """

    def __init__(self, pixels: Plane, width: int, height: int) -> None:
        self.pixels, self.width, self.height = pixels, width, height
        flat, size = pixels.reshape(-1), width * height
        quarter = size // 4
        self.luma = flat[:size].reshape(height, width)
        self.chroma = [
            flat[size + k * quarter :][:quarter].reshape(height // 2, width // 2) for k in range(2)
        ]
        self.taken: list[tuple[int, int, int, int]] = []

    def outline(self, box: Box, colour: tuple[int, int, int]) -> None:
        """Draw the edges of a box."""
        line = max(2, round(self.height * LINE))
        x0, y0, x1, y1 = (round(v) for v in (box.x0, box.y0, box.x1, box.y1))
        for edge in ((x0, y0, x1, y0 + line), (x0, y1 - line, x1, y1)):
            self._fill(*edge, colour)
        for edge in ((x0, y0, x0 + line, y1), (x1 - line, y0, x1, y1)):
            self._fill(*edge, colour)

    def label(self, left: float, box: Box, text: str, aspect: float) -> None:
        """Write above a box, or below it where there is no room, beside what is written already."""
        mask = _letters(text, max(11, round(self.height * TEXT)), aspect)[:, : self.width]
        h, w = mask.shape
        x = max(0, min(round(left), self.width - w))
        places = [round(box.y0) - h, round(box.y1), *(round(box.y0) + k * h for k in range(6))]
        free = (y for y in places if 0 <= y <= self.height - h and not self._is_taken(x, y, x + w, y + h))
        y = next(free, max(0, min(round(box.y0), self.height - h)))
        self.taken.append((x, y, x + w, y + h))
        self._fill(x, y, x + w, y + h, BLACK)
        part = self.luma[y : y + h, x : x + w]
        part[:] = np.maximum(part, mask[: part.shape[0]])

    def _is_taken(self, x0: int, y0: int, x1: int, y1: int) -> bool:
        return any(x0 < right and left < x1 and y0 < low and top < y1 for left, top, right, low in self.taken)

    def _fill(self, x0: int, y0: int, x1: int, y1: int, colour: tuple[int, int, int]) -> None:
        x0, x1 = (max(0, min(v, self.width)) for v in (x0, x1))
        y0, y1 = (max(0, min(v, self.height)) for v in (y0, y1))
        luma, *chroma = _yuv(colour)
        self.luma[y0:y1, x0:x1] = luma
        for plane, value in zip(self.chroma, chroma, strict=True):
            plane[y0 // 2 : -(-y1 // 2), x0 // 2 : -(-x1 // 2)] = value


@cache
def _letters(text: str, size: int, aspect: float) -> Plane:
    """Return the luma of white letters on black, (h, w)."""
    from PIL import Image, ImageDraw

    text, font = lettering(text, size)
    _, _, right, bottom = font.getbbox(text)
    edge = max(2, size // 5)
    sheet = Image.new("L", (int(right) + 2 * edge, int(bottom) + 2 * edge), 16)
    ImageDraw.Draw(sheet).text((edge, edge // 2), text, fill=235, font=font)
    if aspect != 1:
        sheet = sheet.resize((max(1, round(sheet.width / aspect)), sheet.height))
    return np.asarray(sheet)


def _yuv(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return a colour as BT.601 has it, of limited range."""
    r, g, b = (v / 255 for v in colour)
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    return round(16 + 219 * luma), round(128 + 126 * (b - luma)), round(128 + 157 * (r - luma))


def _joined(action: str) -> str:
    """Return an action as the lecture writes it: answer phone -> AnswerPhone."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[\s_-]+", action) if word)


def _by_second(tracks: Sequence[Track]) -> dict[int, list[int]]:
    """Return the numbers of the tracks that are on screen at some moment of each second."""
    found: dict[int, list[int]] = defaultdict(list)
    for n, track in enumerate(tracks):
        for second in range(int(track.span.start), int(track.span.end) + 1):
            found[second].append(n)
    return found
