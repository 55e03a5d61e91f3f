"""Features of whole videos, extracted once: embeddings at regular moments, one file a video."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.errors import MediaError, SaysoError
from sayso.core.io import atomic_file, make_folder, write_atomic
from sayso.core.progress import Progress, Silent
from sayso.core.types import Span
from sayso.data.manifest import Failure
from sayso.engine.extract import Finished, extract
from sayso.engine.segment import Job

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

_MADE_BY = "encoder.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureJob(Job):
    """A video whose features are wanted; ``id`` names their file."""

    id: str


def extract_features(
    videos: Mapping[str, str],
    encoder: Encoder,
    folder: Path,
    *,
    rate: float = 1.0,
    window_s: float | None = None,
    progress: Progress | None = None,
) -> list[Failure]:
    """Write ``folder/<id>.npy``, (T, D) float32, for every video that has none yet.

    Row i is the embedding of the frames from i / rate to (i + 1) / rate seconds, or of ``window_s``
    seconds around their middle. A file appears whole or not at all, so an interrupted run goes
    on where it was.

    Args:
        videos: id -> path.
        encoder: any encoder; its embeddings are the features.
        folder: where to; it remembers the encoder.
        rate: rows a second.
        window_s: seconds that each row embeds, if not just its own part: what a model of motion needs.
        progress: what to report to, in videos.

    Returns:
        The videos that could not be read to their end; what was read of them is kept.

    Raises:
        SaysoError: if the folder holds features of another encoder or rate, or an id is no file name.
    """
    make_folder(folder)
    window = "" if window_s is None else f", {window_s:g} s each"
    _claim(folder, f"{encoder.name} {encoder.sha256} at {rate:g} a second{window}\n")
    _check_ids(videos)
    wanted = {id_: path for id_, path in videos.items() if not (folder / f"{id_}.npy").exists()}
    jobs, failures = _jobs(wanted, rate, window_s)
    rows: dict[str, list[np.ndarray]] = {job.id: [] for job in jobs}
    done = len(videos) - len(jobs)
    for item in extract(jobs, encoder):
        id_ = item.job.id
        if not isinstance(item, Finished):
            rows[id_].append(item.content)
            continue
        done += 1
        if item.error:
            failures.append(Failure(item.job.path, "decode", item.error))
        vectors = rows.pop(id_)
        if vectors:
            _write(folder / f"{id_}.npy", np.stack(vectors))
        (progress or Silent()).update(done, len(videos), id_)
    return failures


def _jobs(
    videos: Mapping[str, str], rate: float, window_s: float | None
) -> tuple[list[FeatureJob], list[Failure]]:
    """Return how each video is read, and the videos that cannot be."""
    jobs: list[FeatureJob] = []
    failures: list[Failure] = []
    for id_, path in videos.items():
        try:
            spans = None if window_s is None else _windows_around(path, rate, window_s)
        except MediaError as error:
            failures.append(Failure(path, "decode", str(error)))
        else:
            jobs.append(FeatureJob(path, "video", 1 / rate, spans, id=id_))
    return jobs, failures


def _check_ids(ids: Iterable[str]) -> None:
    wrong = next((id_ for id_ in ids if os.path.basename(id_) != id_ or not id_), None)  # noqa: PTH119
    if wrong is not None:
        raise SaysoError(f"the video's id {wrong!r} cannot be the name of a file; give it another")


def _windows_around(path: str, rate: float, window_s: float) -> tuple[Span, ...]:
    """Return the span that each row of a video embeds.

    Raises:
        MediaError: if the file cannot be read, or does not say how long it lasts.
    """
    from sayso.media import probe

    duration_s = probe(path).duration
    if duration_s is None:
        raise MediaError(f"{path} does not say how long it lasts; remux it")
    middles = (np.arange(max(1, math.ceil(duration_s * rate))) + 0.5) / rate
    starts = np.clip(middles - window_s / 2, 0, max(0.0, duration_s - window_s))
    return tuple(Span(float(start), float(start) + window_s) for start in starts)


def _claim(folder: Path, made_by: str) -> None:
    """Note whose features a folder holds.

    Raises:
        SaysoError: if they are another encoder's.
    """
    note = folder / _MADE_BY
    if note.exists() and note.read_text(encoding="utf-8") != made_by:
        raise SaysoError(
            f"{folder} holds features of {note.read_text(encoding='utf-8').strip()}; give another folder"
        )
    if not note.exists():
        write_atomic(note, made_by)


def _write(path: Path, rows: np.ndarray) -> None:
    with atomic_file(path) as file:
        np.save(file, rows)
