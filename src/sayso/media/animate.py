"""A stretch of a video as a moving picture: GIF or WebP."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import IO, TYPE_CHECKING, Literal

from sayso.core.errors import SaysoError
from sayso.media.cut import Cut, check_stretch, nothing_there
from sayso.media.files import printable_path
from sayso.media.header import probe
from sayso.media.stream import stream_frames

if TYPE_CHECKING:
    from PIL.Image import Image

MovingForm = Literal["gif", "webp"]
FPS = 10.0
SHORT_SIDE = 270
LONGEST_S = 60.0


def cut_moving_picture(
    path: str | os.PathLike[str], start_s: float, end_s: float, out: IO[bytes], *, form: MovingForm = "gif"
) -> Cut:
    """Write a stretch of a video as a moving picture of 10 frames a second that plays for ever.

    Args:
        path: the video.
        start_s: seconds of the file.
        end_s: seconds of the file, exclusive.
        out: an empty file.
        form: GIF shows 256 colours at a time, WebP all.

    Raises:
        MediaError: if the video cannot be read, or holds no picture there.
        SaysoError: if the span makes no sense, or is longer than a minute.
    """
    check_stretch(start_s, end_s)
    if end_s - start_s > LONGEST_S:
        raise SaysoError(
            f"{printable_path(path)}: {end_s - start_s:.0f} s are too long for a moving picture; "
            f"give at most {LONGEST_S:.0f} s, or a file that ends in .mp4"
        )
    known = probe(path)
    if known.length is not None and start_s >= known.length:
        raise nothing_there(path, start_s)
    count = max(1, round((end_s - start_s) * FPS))
    images = list(_images(path, start_s, count, min(SHORT_SIDE, known.width, known.height)))
    options = {"quality": 80, "method": 4} if form == "webp" else {"optimize": False}
    images[0].save(
        out,
        form.upper(),
        save_all=True,
        append_images=images[1:],
        duration=round(1000 / FPS),
        loop=0,
        **options,
    )
    return Cut(start_s, start_s + len(images) / FPS, len(images))


def _images(path: str | os.PathLike[str], start_s: float, count: int, size: int) -> Iterator[Image]:
    from PIL import Image

    frames = stream_frames(path, fps=FPS, size=size, start_s=start_s, threads=2)
    for _, frame in islice(frames, count):
        yield Image.fromarray(frame)
