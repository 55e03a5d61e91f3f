"""Features of whole videos, extracted once: what an encoder sees at regular moments, a file a video."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.errors import MediaError, SaysoError
from sayso.core.progress import Progress, Silent
from sayso.core.types import Span
from sayso.data.manifest import Failure
from sayso.engine.extract import Finished, extract
from sayso.engine.segment import Job

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

_MADE_BY = "encoder.txt"


def extract_features(
    videos: Mapping[str, str],
    encoder: Encoder,
    folder: Path,
    *,
    rate: float = 1.0,
    seen_s: float | None = None,
    progress: Progress | None = None,
) -> list[Failure]:
    """Write ``folder/<id>.npy``, (T, D) float32, for every video that has none yet.

    Row i is the embedding of the frames from i / rate to (i + 1) / rate seconds, or of ``seen_s``
    seconds around their middle. A file appears whole or not at all, so an interrupted run goes
    on where it was.

    Args:
        videos: id -> path.
        encoder: any encoder; its embeddings are the features.
        folder: where to; it remembers the encoder.
        rate: rows a second.
        seen_s: how long each row sees, if not just its own part: what a model of motion needs.
        progress: told how many videos are done.

    Returns:
        The videos that could not be read to their end; what was read of them is kept.

    Raises:
        SaysoError: if the folder holds features of another encoder or rate, or an id is no file name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seen = "" if seen_s is None else f", {seen_s:g} s each"
    _claim(folder, f"{encoder.name} {encoder.sha256} at {rate:g} a second{seen}\n")
    wrong = next((name for name in videos if os.path.basename(name) != name or not name), None)  # noqa: PTH119
    if wrong is not None:
        raise SaysoError(f"the video's id {wrong!r} cannot be the name of a file; give it another")
    missing = {name: path for name, path in videos.items() if not (folder / f"{name}.npy").exists()}
    failures = []
    jobs = []
    for name, path in missing.items():
        try:
            spans = None if seen_s is None else _around(path, rate, seen_s)
        except MediaError as error:
            failures.append(Failure(path, "decode", str(error)))
            continue
        jobs.append(Job(path, "video", 1 / rate, spans, tag=name))
    rows: dict[str, list[np.ndarray]] = {job.tag: [] for job in jobs}
    done = len(videos) - len(jobs)
    for item in extract(jobs, encoder):
        name = item.job.tag
        if not isinstance(item, Finished):
            rows[name].append(item.vector)
            continue
        done += 1
        found = rows.pop(name)
        if item.error:
            failures.append(Failure(item.job.path, "decode", item.error))
        if found:
            _write(folder / f"{name}.npy", np.stack(found))
        (progress or Silent()).update(done, len(videos), name)
    return failures


def _around(path: str, rate: float, seen_s: float) -> tuple[Span, ...]:
    """Return the spans that the rows of a video see.

    Raises:
        MediaError: if the file cannot be read, or does not say how long it lasts.
    """
    from sayso.media import probe

    duration_s = probe(path).duration
    if duration_s is None:
        raise MediaError(f"{path} does not tell how long it lasts; remux it")
    middles = (np.arange(max(1, math.ceil(duration_s * rate))) + 0.5) / rate
    starts = np.clip(middles - seen_s / 2, 0, max(0.0, duration_s - seen_s))
    return tuple(Span(float(start), float(start) + seen_s) for start in starts)


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
    note.write_text(made_by, encoding="utf-8")


def _write(path: Path, rows: np.ndarray) -> None:
    waiting = path.with_name(f".{path.name}")
    with waiting.open("wb") as file:
        np.save(file, rows)
    waiting.replace(path)
