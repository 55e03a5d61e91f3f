"""YouTube-8M Segments: windows of five seconds, each rated by people for a few classes.

DIR holds the records of the segment-rated part (``validate*.tfrecord`` of the 2019 release) at any depth. A
video has features of every second, 8 bits a number (rgb 1,024, audio 128), and rated pairs of a window and a
class: 1 for there, 0 for rated and not there. What is not rated is not known.

Source
    Abu-El-Haija et al. 2016; https://research.google.com/youtube8m/download.html (segment-rated, v3)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sayso.core.arrays import Float32s
from sayso.core.errors import SaysoError
from sayso.data.datasets.tfrecord import SequenceExample, parse_sequence_example, read_records

SEGMENT_S = 5
_LOWEST, _RANGE, _LEVELS = -2.0, 4.0, 255.0  # of the 8-bit numbers


@dataclass(frozen=True, slots=True)
class Rating:
    """Whether a class is there in the five seconds from ``start_s``."""

    start_s: int
    label: int
    right: bool


@dataclass(frozen=True, eq=False, slots=True)
class RatedVideo:
    """A video by its anonymous id, what was rated, and the features (T, 1152) of each second."""

    id: str
    ratings: tuple[Rating, ...]
    features: Float32s


def read_rated_videos(folder: Path, problems: list[str]) -> Iterator[RatedVideo]:
    """Yield the videos of all records that have ratings; what cannot be read is added to ``problems``.

    Raises:
        SaysoError: if there is no record.
    """
    files = sorted(folder.rglob("*.tfrecord*"))
    if not files:
        raise SaysoError(f"{folder} holds no .tfrecord files of YouTube-8M's segments")
    for path in files:
        try:
            for number, record in enumerate(read_records(path), start=1):
                try:
                    video = _video(parse_sequence_example(record))
                except (ValueError, KeyError, IndexError, TypeError) as error:
                    problems.append(f"{path}, record {number}: no video of segments ({error!r})")
                    continue
                if video.ratings:
                    yield video
        except (SaysoError, OSError) as error:
            problems.append(str(error))


def dequantise(numbers: bytes) -> Float32s:
    """Return what 8-bit numbers stand for, from -2 to 2."""
    held = np.frombuffer(numbers, np.uint8).astype(np.float32)
    return held * (_RANGE / _LEVELS) + (_RANGE / 512 + _LOWEST)


def _video(example: SequenceExample) -> RatedVideo:
    context = example.context
    id_ = context["id"][0]
    if not isinstance(id_, bytes):
        raise TypeError(f"the id is {id_!r}")
    names = ("segment_start_times", "segment_labels", "segment_scores")
    starts, labels, scores = (context.get(name, []) for name in names)
    ratings = tuple(
        Rating(int(start), int(label), float(score) > 0.5)
        for start, label, score in zip(starts, labels, scores, strict=True)
    )
    columns = [
        np.stack([dequantise(b"".join(bytes(part) for part in row)) for row in example.sequences[name]])
        for name in ("rgb", "audio")
    ]
    T = min(map(len, columns))
    return RatedVideo(id_.decode(), ratings, np.concatenate([column[:T] for column in columns], 1))
