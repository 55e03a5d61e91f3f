"""Features of each second of a protocol's videos: those that are given, or made and kept once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.caches import cache_folder
from sayso.core.errors import SaysoError
from sayso.data.features import NpyFeatures
from sayso.engine.features import extract_features
from sayso.evaluation.evaluator import EvaluationOptions
from sayso.evaluation.windows import videos_by_id

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.encoders.interface import Encoder


def mean_length(features: NDArray[np.floating[Any]]) -> float:
    """Return the mean length of features (N, D): divided by it, a penalty means the same for every model."""
    return max(float(np.linalg.norm(features, axis=1).mean()), float(np.finfo(np.float32).tiny))


def features_of_seconds(
    model: Encoder | None,
    data: Path,
    wanted: Sequence[str],
    protocol: str,
    options: EvaluationOptions,
    progress: Progress | None = None,
) -> tuple[NpyFeatures, list[str]]:
    """Return the features (T, D) of videos, a row a second, and the paths of those that cannot be read.

    With ``options.features`` nothing is made. Else each second is embedded for as long as the model's clips
    last, one second at least, and kept below the cache's folder.

    Args:
        model: embeds the videos; None where the features are given.
        data: folder with the videos at any depth, named by their ids.
        wanted: the ids.
        protocol: names the folder in the cache.
        options: ``features`` and ``cache``.
        progress: updated with how many videos are done.

    Raises:
        SaysoError: if there is no feature of any of them.
    """
    folder, unreadable = options.features, list[str]()
    if folder is None and model is not None:
        there = videos_by_id(data)
        folder = (options.cache or cache_folder("evaluate")) / protocol / model.sha256[:16]
        files = {video: there[video] for video in wanted if video in there}
        lasting = max(1.0, model.clip.duration)
        lost = extract_features(files, model, folder, window_s=lasting, progress=progress)
        unreadable = [failure.path for failure in lost]
    features = NpyFeatures(folder, 1.0) if folder and any(folder.rglob("*.npy")) else None
    if features is None or not any(video in features for video in wanted):
        raise SaysoError(
            f"none of the {len(wanted)} videos is there: they go by ids, such as {wanted[0]}.mp4"
        )
    return features, unreadable
