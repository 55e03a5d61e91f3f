"""Clips as features instead of videos: the files that HowTo100M released, or a folder of one's own.

    youcook_val.pkl                 a list of clips: its ``2d`` and ``3d`` feature, ``caption`` and ``id``
    MSRVTT_JSFUSION_test.pth        ``2d`` and ``3d``, each a feature a video id (LSMDC's alike)
    a folder of <video id>.npy      (T, D), a row a second

Released features go through the model's ``encode_features``, each kind of unit norm, 2D first [1]. Those of
a folder do too where the model has that, the seconds of a clip pooled by their maximum; for any other model
they are its own embeddings of the seconds, which are averaged.

Source
    [1] youcook_dataloader.py, msrvtt_dataloader.py (50af0ff). https://github.com/antoine77340/howto100m
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError, SaysoError
from sayso.core.types import Span
from sayso.data.features import NpyFeatures, pool_span
from sayso.encoders.batching import unit_norm
from sayso.hub.restricted_pickle import read_numbers, read_tensors

if TYPE_CHECKING:
    from sayso.encoders.interface import Embeddings, Encoder

Listed = tuple[str, Span | None, str]  # id of the video, which part of it, caption
KINDS = ("2d", "3d")


@dataclass(frozen=True)
class EmbeddedClips:
    """Clips with features.

    Args:
        texts: their N captions.
        vectors: (N, D) embeddings.
        listed: how many clips there are, those without features too.
        missing: ids of videos that have none.
        unreadable: what is there but wrong.
    """

    texts: list[str]
    vectors: Embeddings
    listed: int
    missing: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


def embed_features(model: Encoder, path: Path, listed: Sequence[Listed]) -> EmbeddedClips:
    """Return the embeddings of a protocol's clips, from features.

    Args:
        model: any encoder; for released features one with ``encode_features``.
        path: a released file, or a folder.
        listed: the clips; a released list of clips (``.pkl``) is taken instead of them.

    Raises:
        SaysoError: if the features cannot be read, are not those of the model, or are of none of the clips.
    """
    found = _of_folder(model, path, listed) if path.is_dir() else _of_release(model, path, listed)
    if not found.texts:
        such = f", such as {listed[0][0]}" if listed else ""
        why = f": {found.unreadable[0]}" if found.unreadable else ""
        raise SaysoError(f"{path} holds no features of the {len(listed):,} clips{such}{why}")
    return found


def _of_release(model: Encoder, path: Path, listed: Sequence[Listed]) -> EmbeddedClips:
    if not hasattr(model, "encode_features"):
        raise SaysoError(f"{path} holds features, which {model.name} does not take; name HowTo100M's model")
    content = read_numbers(path) if path.suffix == ".pkl" else read_tensors(path)
    try:
        if isinstance(content, Sequence):
            rows = [
                (one["id"], str(one["caption"]), [_numbers(one[kind]) for kind in KINDS]) for one in content
            ]
        else:
            tables = [content[kind] for kind in KINDS]
            rows = [
                (video, text, [_numbers(table[video]) for table in tables])
                for video, _, text in listed
                if all(video in table for table in tables)
            ]
        features = [
            unit_norm(np.stack([parts[kind] for _, _, parts in rows]))
            for kind in range(len(KINDS) if rows else 0)
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SaysoError(
            f"{path} holds no released features: expected 2d, 3d, caption and id of clips, or 2d and 3d by id"
        ) from error
    there = {video for video, _, _ in rows}
    total = len(rows) if isinstance(content, Sequence) else len(listed)
    missing = () if isinstance(content, Sequence) else tuple(sorted({v for v, _, _ in listed} - there))
    vectors = (
        model.encode_features(np.concatenate(features, 1)) if rows else np.empty((0, model.dim), np.float32)
    )
    return EmbeddedClips([text for _, text, _ in rows], vectors, total, missing)


def _numbers(values: Any) -> NDArray[np.float32]:
    """Return one feature, (D,).

    Raises:
        ValueError: if it is no list of numbers.
    """
    found = np.asarray(values, np.float32)
    if found.ndim != 1:
        raise ValueError(f"a feature is one list of numbers; got {found.shape}")
    return found


def _of_folder(model: Encoder, path: Path, listed: Sequence[Listed]) -> EmbeddedClips:
    features = NpyFeatures(path, 1.0)
    texts: list[str] = []
    vectors: list[NDArray[np.float32]] = []
    unreadable: list[str] = []
    there: dict[str, NDArray[np.floating[Any]] | None] = {}
    for video, span, text in listed:
        if video not in features:
            continue
        if video not in there:
            there[video] = _read(features, video, unreadable)
        seconds = there[video]
        if seconds is None:
            continue
        try:
            vectors.append(_pooled(model, seconds, span))
        except MediaError as error:
            unreadable.append(f"{video}: {error}")
        else:
            texts.append(text)
    missing = tuple(sorted({video for video, _, _ in listed if video not in features}))
    try:
        stacked = np.stack(vectors) if vectors else np.empty((0, model.dim), np.float32)
    except ValueError as error:
        raise SaysoError(f"the features in {path} are not all of one length") from error
    embedded = model.encode_features(stacked) if vectors and hasattr(model, "encode_features") else stacked
    if embedded.shape[1] != model.dim:
        raise SaysoError(
            f"the features in {path} are (T, {embedded.shape[1]}), and {model.name} has {model.dim}"
        )
    return EmbeddedClips(texts, embedded, len(listed), missing, tuple(dict.fromkeys(unreadable)))


def _read(features: NpyFeatures, video: str, unreadable: list[str]) -> NDArray[np.floating[Any]] | None:
    try:
        return features.read(video)
    except SaysoError as error:
        unreadable.append(str(error))
        return None


def _pooled(model: Encoder, seconds: NDArray[np.floating[Any]], span: Span | None) -> NDArray[np.float32]:
    """Return the feature (D,) of a clip from those (T, D) of its video's seconds.

    Raises:
        MediaError: if they end before it begins.
    """
    start, end = (span.start, span.end) if span else (0.0, float("inf"))
    if hasattr(model, "encode_features"):
        return pool_span(seconds, 1.0, start, end)
    last = len(seconds) if span is None else int(end) + 1
    if int(start) >= len(seconds):
        raise MediaError(f"the features end at {len(seconds)} s, before {start:.1f} s")
    return np.asarray(seconds[int(start) : last].mean(0), np.float32)
