"""Clips without a medium, which an interrupted run leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

if TYPE_CHECKING:
    from sayso.index.store import Store


def is_whole(store: Store) -> bool:
    """Tell whether an index holds as many clips as its media say: no run was interrupted in a commit."""
    counted = store.media.search().select(["clips"]).to_arrow().column("clips")
    return bool(store.clips.count_rows() == (pc.sum(counted).as_py() or 0))


def remove_orphans(store: Store) -> int:
    """Remove clips that an interrupted run left behind; return of how many media.

    The clips are looked through only where their number differs from what the media say. Open shards are
    to be committed before.

    Args:
        store: the index, whose lock the caller holds.
    """
    if is_whole(store):
        return 0
    kept = {record.media_id for record in store.records().values()}
    orphans: set[str] = set()
    for batch in store.clips.search().select(["media_id"]).to_batches():
        orphans.update(set(batch.column("media_id").to_pylist()) - kept)
    store.delete_clips(orphans)
    return len(orphans)
