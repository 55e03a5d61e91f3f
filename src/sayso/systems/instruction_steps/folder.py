"""A folder of narrated videos: the captions beside them, and features from an encoder or from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.errors import SaysoError
from sayso.core.progress import Progress
from sayso.core.types import Caption
from sayso.data.manifest import Failure
from sayso.data.sources import find_sources
from sayso.media import kind_of
from sayso.systems.instruction_steps.discover import NarratedVideo
from sayso.systems.instruction_steps.places import Rows
from sayso.text import find_subtitles, read_caption_file

if TYPE_CHECKING:
    from sayso.encoders import Encoder


@dataclass(frozen=True, eq=False)
class Folder:
    """Videos with what could be read of them.

    Args:
        paths: of the videos.
        videos: what is known of each.
        failures: what could not be read.
    """

    paths: list[str]
    videos: list[NarratedVideo]
    failures: list[Failure]


def read_videos(
    paths: Sequence[str],
    *,
    features: Path,
    encoder: Encoder | None,
    rate: float = 1.0,
    progress: Progress | None = None,
) -> Folder:
    """Read the videos that files and folders name.

    Args:
        paths: files and folders.
        features: folder of ``<name>.npy``, (T, D), a row for each 1 / rate seconds: embeddings, or counts
            of visual words.
        encoder: writes the features that are missing; None: they must be there.
        rate: rows a second.
        progress: told how many videos are read.

    Raises:
        SaysoError: if there is no video, or two have the same name.
    """
    sources = list(find_sources(paths))
    failures = [source for source in sources if isinstance(source, Failure)]
    files = [s.path for s in sources if not isinstance(s, Failure) and kind_of(s.path) == "video"]
    named = {Path(path).stem: path for path in files}
    if not files:
        why = f"there is no video in {', '.join(paths)}"
        raise SaysoError(f"{failures[0].error if failures else why}; name a folder of videos of one task")
    if len(named) < len(files):
        twice = next(path for path in files if named[Path(path).stem] != path)
        raise SaysoError(f"two videos are named like {twice}; features go by names, so rename one of them")
    if encoder is not None:
        failures += _extract(named, encoder, features, rate, progress)
    kept, videos = [], []
    for name, path in named.items():
        file = features / f"{name}.npy"
        if encoder is not None and not file.exists():
            continue  # its failure is told already
        try:
            videos.append(NarratedVideo(name, _rows(file), _captions(path, failures)))
            kept.append(path)
        except SaysoError as error:
            failures.append(Failure(path, "features", str(error)))
    widths = {video.features.shape[1]: video.name for video in videos}
    if len(widths) > 1:
        told = " and ".join(f"{name}.npy {width}" for width, name in sorted(widths.items()))
        raise SaysoError(f"rows of features in {features} differ in length ({told}); give one encoder's")
    return Folder(kept, videos, failures)


def _extract(
    videos: Mapping[str, str], encoder: Encoder, folder: Path, rate: float, progress: Progress | None
) -> list[Failure]:
    from sayso.engine.features import extract_features

    window_s = max(1 / rate, encoder.clip.duration)
    return extract_features(videos, encoder, folder, rate=rate, window_s=window_s, progress=progress)


def _captions(path: str, failures: list[Failure]) -> list[Caption]:
    """Return the captions beside a video; broken ones are told of and left out."""
    file = find_subtitles(path)
    if file is None:
        return []
    found = read_caption_file(file)
    failures += [Failure(str(file), "captions", str(problem)) for problem in found.problems]
    return list(found.captions)


def _rows(path: Path) -> Rows:
    if not path.exists():
        raise SaysoError(f"{path} is not there")
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise SaysoError(f"{path} is no readable .npy file of features: {error}") from error
    if rows.ndim != 2 or not rows.size or rows.dtype.kind not in "fiu" or not np.isfinite(rows).all():
        raise SaysoError(f"{path} must hold finite features (T, D); got {rows.shape} {rows.dtype}")
    checked: Rows = rows if rows.dtype.kind == "f" else rows.astype(np.float32)
    return checked
