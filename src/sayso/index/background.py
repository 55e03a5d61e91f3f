"""The background of an index: captions that it hardly shows, and how similar it is to them.

It is measured when the index is built, kept beside its tables, and measured anew as the index grows. An index
that an older sayso made has none; it is then measured when it is first searched.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cache
from importlib import resources
from shlex import quote
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.core.panic import panics_as_errors
from sayso.index.calibration import NEAREST, Calibration, Floats, Spread
from sayso.index.reasons import reason_of
from sayso.index.schema import BACKGROUND_TABLE

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder
    from sayso.index.store import Store

log = logging.getLogger(__name__)

SAMPLED_CLIPS = 256
"""Clips for which the nearest stranger is looked for."""

REFIT_GROWTH = 1.1
"""A large index is measured anew when it has grown by this factor."""

SMALL = 50_000
"""Below so many clips it is measured anew whenever it changes."""


@cache
def background_captions() -> tuple[str, ...]:
    """Return captions of all kinds of things, few of which one collection shows."""
    text = resources.files("sayso.index").joinpath("background.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


def embed_background(encoder: Encoder) -> Floats:
    """Return the background (B, D) in a model's space; B is 0 if the model does not take such texts."""
    try:
        vectors = encoder.encode_text(background_captions())
    except (SaysoError, ValueError, LookupError) as error:
        log.info("%s embeds no captions: %s; relevance is measured between clips", encoder.name, error)
        vectors = np.empty((0, encoder.dim), np.float32)
    kept: Floats = vectors.astype(np.float16).astype(np.float32)
    return kept


def measure_background(store: Store, background: Floats) -> Calibration:
    """Measure how similar an index is to captions that have nothing to do with it, and to itself.

    Args:
        store: the index.
        background: (B, D) embeddings of these captions.
    """
    total = store.clips.count_rows()
    best = np.full(len(background), -np.inf)
    sampled: list[tuple[list[str], Floats]] = []
    step, seen = max(1, total // SAMPLED_CLIPS), 0
    for media, vectors in _batches(store):
        best = np.maximum(best, (background @ vectors.T).max(axis=1, initial=-np.inf))
        picked = range(-seen % step, len(vectors), step)
        sampled.append(([media[k].as_py() for k in picked], vectors[list(picked)]))
        seen += len(vectors)
    media = [id_ for ids, _ in sampled for id_ in ids]
    vectors = np.concatenate([part for _, part in sampled]) if sampled else np.empty((0, 1), np.float32)
    size = float(np.linalg.norm(vectors, axis=1).mean()) if len(vectors) else 1.0
    pictures, strangers = _between_files(store, media, vectors, size)
    words, nearness = pictures, Spread(0.0, 1.0)
    if len(background) and len(vectors):
        kept = background[_unremarkable(best)]
        words = _spread(best[_unremarkable(best)], size)
        background, nearness = kept, _own_nearness(kept)
    return Calibration(background, words, nearness, pictures, strangers, total)


def _own_nearness(background: Floats) -> Spread:
    near = background @ background.T
    np.fill_diagonal(near, -np.inf)
    return _spread(np.sort(near, axis=1)[:, -min(NEAREST, max(1, len(near) - 1)) :].mean(axis=1), 1.0)


def _between_files(store: Store, media: list[str], vectors: Floats, size: float) -> tuple[Spread, float]:
    """Return the best similarities of sampled clips to clips of other files, and their median cosine."""
    best = np.full(len(vectors), -np.inf)
    cosine = np.full(len(vectors), -np.inf)
    length = _lengths(vectors)[:, None]
    files, own = np.unique(np.array(media, str), return_inverse=True)
    for others, batch in _batches(store):
        raw = vectors @ batch.T
        near = raw / (length * _lengths(batch))
        file = pc.index_in(others, value_set=pa.array(files, pa.string())).fill_null(-1).to_numpy()
        foreign = (own[:, None] != file) & (near < 1 - 1e-3)  # a copy is no stranger
        best = np.maximum(best, np.where(foreign, raw, -np.inf).max(axis=1, initial=-np.inf))
        cosine = np.maximum(cosine, np.where(foreign, near, -np.inf).max(axis=1, initial=-np.inf))
    best, cosine = best[np.isfinite(best)], cosine[np.isfinite(cosine)]
    if not len(best) or not len(cosine):
        return Spread(0.5 * size**2, 0.1 * size**2), 0.5
    return _spread(best[_unremarkable(best)], size), float(np.median(cosine))


def _lengths(vectors: Floats) -> Floats:
    lengths: Floats = np.maximum(np.linalg.norm(vectors, axis=1), 1e-9)
    return lengths


def _unremarkable(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which values do not stick out upwards."""
    median = float(np.median(values))
    deviation = 1.4826 * float(np.median(np.abs(values - median)))
    kept: NDArray[np.bool_] = values <= median + 2 * max(deviation, 1e-6)
    return kept


def _spread(values: NDArray[Any], size: float) -> Spread:
    sd = float(values.std())
    return Spread(float(values.mean()), max(sd, 0.01 * size) if sd > 1e-3 * size else 0.1 * size)


def _batches(store: Store) -> Iterator[tuple[pa.Array, Floats]]:
    for batch in store.clips.search().select(["media_id", "vector"]).to_batches():
        if batch.num_rows:
            yield batch.column("media_id"), vectors_of(batch.column("vector"))


def vectors_of(column: Any) -> Floats:
    """Return a column of vectors as (N, D) float32."""
    flat = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    values: Floats = flat.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    return values.reshape(len(column), column.type.list_size)


def load_calibration(store: Store) -> tuple[Calibration, Floats] | None:
    """Return what was measured, and the whole background (B, D); None if none is kept that can be read."""
    try:
        with panics_as_errors():
            return _read_calibration(store)
    except Exception as error:  # noqa: BLE001  LanceDB raises whatever it meets
        log.warning(
            "what scores rest on cannot be read, so they are less sure; run sayso index %s --repair (%s)",
            quote(store.address),
            reason_of(error),
        )
        return None


def _read_calibration(store: Store) -> tuple[Calibration, Floats] | None:
    table = store.table(store.named(BACKGROUND_TABLE))
    rows = table.search().limit(1).to_arrow().to_pylist() if table is not None else []
    if not rows:
        return None
    numbers = json.loads(rows[0]["numbers"])
    flat = np.asarray(rows[0]["background"], np.float16)
    background = flat.astype(np.float32).reshape(-1, store.identity.dim)
    spreads = {name: Spread(**numbers[name]) for name in ("words", "nearness", "pictures")}
    kept = background[np.asarray(numbers["kept"], np.int64)]
    found = Calibration(kept, **spreads, strangers=numbers["strangers"], clips=numbers["clips"])
    return found, background


def save_calibration(store: Store, found: Calibration, background: Floats) -> None:
    """Keep in the index what was measured, in place of what it kept.

    Args:
        store: the index, whose lock the caller holds.
        found: what was measured.
        background: (B, D) all captions, also those that were left out this time.
    """
    numbers = {name: value for name, value in asdict(found).items() if name != "background"}
    places = {row.tobytes(): k for k, row in enumerate(background)}
    numbers["kept"] = [places[row.tobytes()] for row in found.background]
    flat = pa.array([background.astype(np.float16).ravel()], pa.list_(pa.float16()))
    table = pa.table({"numbers": [json.dumps(numbers)], "background": flat})
    store.connection.create_table(store.named(BACKGROUND_TABLE), table, mode="overwrite")


def calibrate_index(store: Store, encoder: Callable[[], Encoder]) -> Calibration:
    """Measure an index anew if that is due, and keep it there.

    Args:
        store: the index, whose lock the caller holds.
        encoder: loads the encoder; called only if the index keeps no background.
    """
    held = load_calibration(store)
    if held is not None and not _is_due(held[0], store.clips.count_rows()):
        return held[0]
    background = held[1] if held is not None else embed_background(encoder())
    found = measure_background(store, background)
    save_calibration(store, found, background)
    return found


def is_outdated(store: Store) -> bool:
    """Tell whether a run was killed before it measured what it had added."""
    clips = store.clips.count_rows()
    held = load_calibration(store) if clips else None
    return bool(clips) and (held is None or (held[0].clips != clips and _is_due(held[0], clips)))


def _is_due(found: Calibration, clips: int) -> bool:
    return clips < SMALL or not found.clips / REFIT_GROWTH <= clips <= found.clips * REFIT_GROWTH
