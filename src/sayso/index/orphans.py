"""Clips without a medium, which an interrupted run leaves behind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from sayso.index.store import Store
    from sayso.index.tables import Tables


def is_whole(store: Store) -> bool:
    """Tell whether an index holds as many clips as its media say: no run was interrupted in a commit."""
    counted = store.media.search().select(["clips"]).to_arrow().column("clips")
    return bool(store.clips.count_rows() == (pc.sum(counted).as_py() or 0))


def clips_without_medium(store: Tables, media: pa.ChunkedArray | None = None) -> Counter[str]:
    """Return how many clips there are of each medium that is not there.

    Args:
        store: the tables.
        media: ids of the media that are there, if they have been read.
    """
    if media is None:
        media = store.media.search().select(["media_id"]).to_arrow().column("media_id")
    held = store.clips.search().select(["media_id"]).to_arrow().column("media_id")
    left = held.filter(pc.invert(pc.is_in(held, media.combine_chunks())))
    return Counter({one["values"]: one["counts"] for one in left.value_counts().to_pylist()})


def remove_orphans(store: Store) -> int:
    """Remove clips that an interrupted run left behind; return of how many media.

    The clips are looked through only where their number differs from what the media say. Open shards are
    to be committed before.

    Args:
        store: the index, whose lock the caller holds.
    """
    if is_whole(store):
        return 0
    orphans = clips_without_medium(store)
    store.delete_clips(orphans)
    return len(orphans)
