"""Face tracks drawn on frames of their video, to see whether they follow the faces."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence

from sayso.people.crops import picture_scale, scale_box
from sayso.people.faces import head_and_shoulders
from sayso.people.tracks import Track

HEIGHT, COLUMNS = 240, 4  # pixels of a frame; frames in a row
COLOURS = ("#ff4040", "#40ff40", "#40c0ff", "#ffe040", "#ff60ff", "#ff9020")


def tracks_png(
    path: str | os.PathLike[str], tracks: Sequence[Track], *, frames: int = 8, labels: Sequence[str] = ()
) -> bytes:
    """Return a PNG of frames evenly spread over a video, with faces (bold) and shoulders (thin).

    Args:
        path: the video.
        tracks: boxes in the video's own pixels.
        frames: how many.
        labels: one a track; default their numbers.

    Raises:
        MediaError: if the video cannot be read.
    """
    from PIL.Image import fromarray, new
    from PIL.ImageDraw import Draw

    from sayso.media.clip import read_clip
    from sayso.media.header import probe

    end = probe(path).duration or max((track.span.end for track in tracks), default=1.0)
    clip = read_clip(path, 0.0, end, frames=frames, size=HEIGHT)
    H, W = clip.frames.shape[1:3]
    scale, columns = picture_scale(path, H, W), min(COLUMNS, frames)
    sheet = new("RGB", (columns * W, -(-frames // columns) * H))
    for k, (frame, seconds) in enumerate(zip(clip.frames, clip.times, strict=True)):
        picture = fromarray(frame)
        pen = Draw(picture)
        for number, track in enumerate(tracks):
            box = track.at(seconds) if track.span.start <= seconds < track.span.end else None
            if box is None:
                continue
            face, colour = scale_box(box, scale), COLOURS[number % len(COLOURS)]
            body = head_and_shoulders(face, W - 1, H - 1)
            pen.rectangle((body.x0, body.y0, body.x1, body.y1), outline=colour)
            pen.rectangle((face.x0, face.y0, face.x1, face.y1), outline=colour, width=2)
            pen.text((face.x0 + 3, face.y0 + 1), labels[number] if labels else f"#{number}", fill=colour)
        pen.text((2, 2), f"{seconds:.1f} s", fill="white")
        sheet.paste(picture, (k % columns * W, k // columns * H))
    out = io.BytesIO()
    sheet.save(out, "PNG", optimize=True)
    return out.getvalue()
