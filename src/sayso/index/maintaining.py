"""Keeping the tables of an index compact, and their search structures up with what was added."""

from __future__ import annotations

from datetime import timedelta

from sayso.index.store import WORDS, Store

ANN_MIN_CLIPS = 50_000
"""Below this exact search answers in well under 0.1 s."""

RETRAIN_GROWTH = 4.0
"""The approximate index is trained anew when the collection has grown by this factor."""

KEEP_VERSIONS = timedelta(minutes=10)
"""Old versions of a table stay this long for readers that are still on them."""


def maintain(store: Store) -> None:
    """Compact the tables and bring their search structures up to date.

    IVF_RQ is the approximate index that keeps its recall at a fraction of the
    build time of the others; look-ups by id get a B-tree, words a full-text index.
    """
    from lancedb.index import FTS, BTree, IvfRq

    total = store.clips.count_rows()
    held = {index.columns[0]: index.name for index in store.clips.list_indices()}
    for column in WORDS:
        if column not in held and _holds(store, column):
            words = FTS(stem=True, remove_stop_words=True, ascii_folding=True)
            store.clips.create_index(column, config=words)
    if total >= ANN_MIN_CLIPS:
        trained_on = int(held.get("vector", "vector_0").rpartition("_")[2])
        if total >= RETRAIN_GROWTH * trained_on:
            config = IvfRq(distance_type=store.identity.metric)
            store.clips.create_index("vector", config=config, name=f"vector_{total}")
            if trained_on:
                store.clips.drop_index(held["vector"])
        for column in {"id", "media_id"} - held.keys():
            store.clips.create_index(column, config=BTree())
    for table in (store.clips, store.media):
        table.optimize(cleanup_older_than=KEEP_VERSIONS)


def lacks_words(store: Store) -> bool:
    """Tell whether text is held that no full-text index finds: a run was killed before it made one."""
    held = {index.columns[0] for index in store.clips.list_indices()}
    return any(column not in held and _holds(store, column) for column in WORDS)


def _holds(store: Store, column: str) -> bool:
    return bool(store.clips.search().where(f"{column} != ''").select(["id"]).limit(1).to_arrow().num_rows)
