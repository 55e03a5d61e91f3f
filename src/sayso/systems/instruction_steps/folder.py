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
from sayso.data.features import NpyFeatures
from sayso.data.manifest import Failure
from sayso.data.sources import find_sources
from sayso.media import kind_of
from sayso.systems.instruction_steps.discover import NarratedVideo
from sayso.systems.instruction_steps.localization import Rows
from sayso.text import find_subtitles, read_caption_file

if TYPE_CHECKING:
    from sayso.encoders import Encoder


@dataclass(frozen=True, eq=False)
class NarratedFolder:
    """The narrated videos of a folder.

    Args:
        paths: of the videos.
        videos: features and captions of each.
        failures: videos, features and captions that could not be read.
    """

    paths: list[str]
    videos: list[NarratedVideo]
    failures: list[Failure]


def read_narrated(
    paths: Sequence[str],
    *,
    features: Path,
    encoder: Encoder | None,
    rate: float = 1.0,
    progress: Progress | None = None,
) -> NarratedFolder:
    """Read the videos that files and folders name.

    Args:
        paths: files and folders.
        features: folder of ``<name>.npy``, (T, D), a row for each 1 / rate seconds: embeddings, or counts
            of visual words.
        encoder: writes the features that are missing; None: they must be there.
        rate: rows a second.
        progress: reports the videos that are read.

    Raises:
        SaysoError: if there is no video, or two have the same name.
    """
    named, failures = _named_videos(paths)
    if encoder is not None:
        failures += _extract(named, encoder, features, rate, progress)
        failed = {failure.path for failure in failures}
        if not any(features.glob("*.npy")):
            raise SaysoError(f"not one of the videos can be read; {failures[0].error}")
    else:
        failed = set()
    source = NpyFeatures(features, rate)
    kept, videos = [], []
    for name, path in named.items():
        try:
            videos.append(NarratedVideo(name, _rows(source, name), _captions(path, failures)))
            kept.append(path)
        except SaysoError as error:
            if path not in failed:
                failures.append(Failure(path, "features", str(error)))
    widths = {video.features.shape[1]: video.name for video in videos}
    if len(widths) > 1:
        both = " and ".join(f"{name}.npy {width}" for width, name in sorted(widths.items()))
        raise SaysoError(f"rows of features in {features} differ in length ({both}); give one encoder's")
    return NarratedFolder(kept, videos, failures)


def refuse_silent(paths: Sequence[str]) -> None:
    """Check, before any video is looked at, that there are captions to learn from.

    Raises:
        SaysoError: if there is no video, or captions stand beside none of them.
    """
    named, _ = _named_videos(paths)
    if not any(map(find_subtitles, named.values())):
        raise SaysoError(
            f"{', '.join(paths)} holds no captions; steps are learned from what people say: "
            "name a folder of videos with their captions"
        )


def _named_videos(paths: Sequence[str]) -> tuple[dict[str, str], list[Failure]]:
    """Return the videos, name -> path, and what could not be listed."""
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
    return named, failures


def _extract(
    videos: Mapping[str, str], encoder: Encoder, folder: Path, rate: float, progress: Progress | None
) -> list[Failure]:
    from sayso.engine.features import extract_features

    window_s = max(1 / rate, encoder.clip.duration)
    return extract_features(videos, encoder, folder, rate=rate, window_s=window_s, progress=progress)


def _captions(path: str, failures: list[Failure]) -> list[Caption]:
    """Return the captions beside a video; broken ones are left out and added to the failures."""
    file = find_subtitles(path)
    if file is None:
        return []
    found = read_caption_file(file)
    failures += [Failure(str(file), "captions", str(problem)) for problem in found.problems]
    return list(found.captions)


def _rows(source: NpyFeatures, name: str) -> Rows:
    """Return the features of a video, (T, D), all of them finite."""
    rows = source.read(name)
    if not rows.size or not np.isfinite(rows).all():
        raise SaysoError(f"the features of {name} in {source.folder} must be finite and not empty")
    return rows
