"""Face tracks of a video: found, followed through each shot, described, and their lips watched.

Faces are looked for a few times a second and followed in between by correlation; a
track goes on where a found face overlaps it, and ends with the shot, or with the last find if none
came for a second. Lip motion is how much the mouth changes from frame to frame once the
face is made upright and the best small shift is taken out, as a share of its brightness [1].

Sources
    [1] Everingham, Sivic, Zisserman, BMVC 2006, sections 3.1 and 3.2.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError
from sayso.core.progress import Progress, Silent
from sayso.core.types import Box, Span
from sayso.people.face_models import Face, FaceModels
from sayso.people.tracks import FilmTracks, Track

log = logging.getLogger(__name__)
Frame = NDArray[np.uint8]
FPS = 12.5  # frames a second looked at: lips open and close some five times a second
DETECT_EVERY = 5  # frames from one search to the next
HEIGHT = 360  # pixels: faces of a ninth of the picture's height and more are found
LOST_S = 1.0  # a track that is not found again for so long ended with its last find
MIN_IOU = 0.3  # overlap (intersection over union) of a found face with the track it goes on
CHIP, CHIPS = 150, 5  # pixels of the faces that are described, and how many a track
MOUTH = (slice(58, 88), slice(26, 70))  # of an upright face of 96 x 96 pixels
MAX_SHIFT = 2


@dataclass(eq=False)
class _OpenTrack:
    """A track that is being followed."""

    follower: Any
    times: list[float] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    lips: list[float] = field(default_factory=list)
    best: list[tuple[float, Frame]] = field(default_factory=list)
    mouth: NDArray[np.float32] | None = None
    found: int = 0  # frames up to and with the last find


def track_faces(
    path: str | os.PathLike[str],
    shots: Sequence[Span],
    *,
    fps: float = FPS,
    describe: bool = True,
    threshold: float = 0.0,
    shot_done: Callable[[int, list[Track]], None] | None = None,
    first_shot: int = 0,
    progress: Progress | None = None,
) -> FilmTracks:
    """Return the face tracks of a video; those before damage in the middle of the file, which is logged.

    Args:
        path: the video file.
        shots: of the video, in order: no track goes over a cut.
        fps: frames a second to look at.
        describe: whether to compute descriptors, 128-d, of each track's five surest faces.
        threshold: of the detector; lower finds more faces, and more that are none.
        shot_done: called with each shot's number and tracks, so that they can be kept.
        first_shot: where to begin; the shots before were done in an earlier run.
        progress: updated after each shot.

    Raises:
        MediaError: if the file cannot be opened.
        MissingExtra: if the extra ``faces`` is not installed.
    """
    models, progress = FaceModels(), progress or Silent()
    scale = _scale(path)
    tracks, problems = list[Track](), list[MediaError]()
    for number, frames in _by_shot(path, shots, first_shot, fps, problems):
        followed = _follow(models, frames, threshold)
        found = [_finished(models, one, fps, scale, describe) for one in followed]
        found.sort(key=lambda track: track.span.start)
        tracks += found
        if shot_done is not None:
            shot_done(number, found)
        progress.update(number + 1, len(shots), f"{len(tracks)} faces")
    return FilmTracks(tuple(tracks), tuple(problems))


def head_and_shoulders(face: Box, width: int, height: int) -> Box:
    """Return the box of the head and shoulders below a face, within the picture.

    It is three faces wide and three and a half high, from a half above the face's box.

    Args:
        face: box of the face, pixels.
        width: pixels of the picture.
        height: pixels of the picture.
    """
    w, h = face.x1 - face.x0, face.y1 - face.y0
    return Box(
        max(0.0, face.x0 - w),
        max(0.0, face.y0 - 0.5 * h),
        min(float(width), face.x1 + w),
        min(float(height), face.y1 + 2 * h),
    )


def mouth_motion(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Return the least difference of two mouths (H, W) over shifts of two pixels, per brightness."""
    H, W = before.shape
    core = before[MAX_SHIFT : H - MAX_SHIFT, MAX_SHIFT : W - MAX_SHIFT]
    moved = (
        after[y : y + core.shape[0], x : x + core.shape[1]]
        for y in range(2 * MAX_SHIFT + 1)
        for x in range(2 * MAX_SHIFT + 1)
    )
    return min(float(np.abs(core - other).mean()) for other in moved) / (float(core.mean()) + 8.0)


def box_iou(a: Box, b: Box) -> float:
    """Return the intersection of two boxes over their union, 0 to 1."""
    width, height = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
    shared = max(0.0, width) * max(0.0, height)
    areas = (a.x1 - a.x0) * (a.y1 - a.y0) + (b.x1 - b.x0) * (b.y1 - b.y0)
    return shared / (areas - shared) if shared else 0.0


def _scale(path: str | os.PathLike[str]) -> float:
    """Return how many of the video's pixels one pixel looked at is."""
    from sayso.media.header import probe

    header = probe(path)
    return max(1.0, min(header.width or HEIGHT, header.height or HEIGHT) / HEIGHT)


def _by_shot(
    path: str | os.PathLike[str],
    shots: Sequence[Span],
    first: int,
    fps: float,
    problems: list[MediaError],
) -> Iterator[tuple[int, Iterator[tuple[float, Frame]]]]:
    """Yield each shot's number and frames; frames are read as they are asked for."""
    from sayso.media.stream import stream_frames

    if first >= len(shots):
        return
    size = HEIGHT if _scale(path) > 1 else None
    stream = _until_damage(stream_frames(path, fps=fps, size=size, start_s=shots[first].start), problems)
    waiting = next(stream, None)

    def of_shot(end: float) -> Iterator[tuple[float, Frame]]:
        nonlocal waiting
        while waiting is not None and waiting[0] < end - 1e-6:
            yield waiting
            waiting = next(stream, None)

    for number in range(first, len(shots)):
        last = number == len(shots) - 1
        yield number, of_shot(float("inf") if last else shots[number].end)


def _until_damage(
    stream: Iterator[tuple[float, Frame]], problems: list[MediaError]
) -> Iterator[tuple[float, Frame]]:
    """Yield frames until the file's end, or until damage, which is logged and added to the problems."""
    seconds = None
    try:
        for seconds, frame in stream:
            yield seconds, frame
    except MediaError as error:
        if seconds is None:
            raise
        log.warning("%s; faces after %.1f s are not found", error, seconds)
        problems.append(error)


def _follow(models: FaceModels, frames: Iterator[tuple[float, Frame]], threshold: float) -> list[_OpenTrack]:
    """Return the tracks of one shot."""
    open_, ended = list[_OpenTrack](), list[_OpenTrack]()
    for index, (seconds, frame) in enumerate(frames):
        for one in open_:
            one.follower.update(frame)
        if index % DETECT_EVERY == 0:
            _search(models, frame, threshold, open_, ended, seconds)
        for one in open_:
            _update(models, one, frame, seconds)
    return [one for one in ended + open_ if one.found > 1]


def _search(
    models: FaceModels,
    frame: Frame,
    threshold: float,
    open_: list[_OpenTrack],
    ended: list[_OpenTrack],
    seconds: float,
) -> None:
    """Go on with the tracks that are found again, begin those that are new, end those lost."""
    taken: set[int] = set()
    for face in models.detect(frame, threshold):
        near = [(box_iou(face.box, _where(one)), k) for k, one in enumerate(open_) if k not in taken]
        best, k = max(near, default=(0.0, -1))
        if best < MIN_IOU:
            open_.append(_OpenTrack(models.correlation_tracker()))
            k = len(open_) - 1
        one = open_[k]
        one.follower.start_track(frame, models.rectangle(face.box))
        one.found = len(one.times) + 1
        taken.add(k)
        one.best = sorted(
            [*one.best, (face.score, models.aligned_chip(frame, face, CHIP))], key=lambda x: -x[0]
        )
        one.best = one.best[:CHIPS]
    for one in [o for k, o in enumerate(open_) if k not in taken]:
        if seconds - one.times[one.found - 1] > LOST_S:
            open_.remove(one)
            ended.append(one)


def _update(models: FaceModels, one: _OpenTrack, frame: Frame, seconds: float) -> None:
    """Write down where a followed face is and how its mouth moved."""
    box = _where(one)
    face: Face = models.landmarks(frame, models.rectangle(box))
    grey = models.aligned_chip(frame, face, 96).astype(np.float32).mean(2)[MOUTH]
    one.lips.append(float("nan") if one.mouth is None else mouth_motion(one.mouth, grey))
    one.mouth = grey
    one.times.append(seconds)
    one.boxes.append(box)


def _where(one: _OpenTrack) -> Box:
    at = one.follower.get_position()
    return Box(at.left(), at.top(), at.right() + 1, at.bottom() + 1)


def _finished(models: FaceModels, one: _OpenTrack, fps: float, scale: float, describe: bool) -> Track:
    """Return the finished track, up to its last find."""
    boxes = scale * np.array([(box.x0, box.y0, box.x1, box.y1) for box in one.boxes[: one.found]])
    middle = Box(*map(float, boxes[one.found // 2]))
    span = Span(one.times[0], one.times[one.found - 1] + 1 / fps)
    descriptor = models.describe(np.array([chip for _, chip in one.best])) if describe else np.zeros(0)
    return Track(span, middle, np.array(one.lips[: one.found]), descriptor, boxes)
