"""Clips without a medium, which an interrupted run leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sayso.index.live import clips_without_medium, is_whole

if TYPE_CHECKING:
    from sayso.index.store import Store


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
