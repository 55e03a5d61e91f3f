"""Rows of an index of drawn vectors, to measure what one takes at a size that nobody has videos for."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sayso.index.schema import MEDIA_SCHEMA, Identity, clips_schema

CLIPS_A_VIDEO = 100
CLIP_S = 4.0


def drawn_rows(identity: Identity, first: int, vectors: NDArray[np.float32]) -> tuple[pa.Table, pa.Table]:
    """Return rows of an index's two tables: clips with given vectors, and 100 to a video.

    Args:
        identity: of the index.
        first: number of the first clip.
        vectors: (B, D).
    """
    ids = range(first, first + len(vectors))
    videos = range(first // CLIPS_A_VIDEO, -(-ids.stop // CLIPS_A_VIDEO))
    words = [" ".join(f"word{(i * step) % 9973}" for step in (1, 7, 61, 503)) for i in ids]
    shown = {"kind": "video", "title": "a video", "duration_s": 400.0, "seen": "", "meta": {}}
    names = [f"{i:020x}-{i % CLIPS_A_VIDEO}" for i in ids]
    clips: dict[str, list[Any]] = {
        "id": names,
        "media_id": [f"{i // CLIPS_A_VIDEO:020x}" for i in ids],
        "path": [f"/videos/{i // CLIPS_A_VIDEO}.mp4" for i in ids],
        "start_s": [CLIP_S * (i % CLIPS_A_VIDEO) for i in ids],
        "end_s": [CLIP_S * (i % CLIPS_A_VIDEO + 1) for i in ids],
        "text": words,
        "seen": [""] * len(ids),
    }
    clips["shown"] = [
        json.dumps({"id": name, **shown, "text": text}) for name, text in zip(names, words, strict=True)
    ]
    clips["thumb"] = [b""] * len(ids)
    media: dict[str, list[Any]] = {
        "path": [f"/videos/{i}.mp4" for i in videos],
        "media_id": [f"{i:020x}" for i in videos],
        "content": [f"{i:064x}" for i in videos],
        "clips": [min(CLIPS_A_VIDEO, ids.stop - CLIPS_A_VIDEO * i) for i in videos],
    }
    flat = pa.array(vectors.astype(np.float16).ravel())
    columns: dict[str, Any] = {"vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])}
    return (
        _table(clips, clips_schema(identity), columns),
        _table(media, MEDIA_SCHEMA, {}),
    )


def _table(held: dict[str, list[Any]], schema: pa.Schema, made: dict[str, Any]) -> pa.Table:
    """Return a table of lists and arrays; what a clip and its video have alike is filled in."""
    same = {"kind": "video", "title": "a video", "duration_s": 400.0}
    count = len(held["media_id"])
    columns = [
        made[field.name]
        if field.name in made
        else pa.array(held.get(field.name) or [same.get(field.name)] * count, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
