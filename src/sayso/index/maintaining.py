"""Keeping the tables of an index compact, and their search structures up with what was added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sayso.index.store import WORDS, Store

ANN_MIN_CLIPS = 50_000
"""Below this exact search answers in well under 0.1 s."""

RETRAIN_GROWTH = 4.0
"""The approximate index is trained anew when the collection has grown by this factor."""

PARTITION, SAMPLED = 8192, 64
"""Vectors of a partition, as LanceDB cuts them by default, and of each so many to learn its centroid from."""

KEEP_VERSIONS = timedelta(minutes=10)
"""Old versions of a table stay this long for readers that are still on them."""

TOKENS = {"stem": True, "remove_stop_words": True, "ascii_folding": True}
"""How words are looked up."""


@dataclass(frozen=True, slots=True)
class Structure:
    """A search structure over the clips.

    Args:
        column: what it finds: words, vectors or ids.
        name: what it is called.
        replaces: the name of the one that goes once it is there.
    """

    column: str
    name: str
    replaces: str | None = None


def missing_structures(store: Store) -> list[Structure]:
    """Return the search structures that an index lacks."""
    total = store.clips.count_rows()
    held = {index.columns[0]: index.name for index in store.clips.list_indices()}
    columns = [column for column in WORDS if column not in held and _holds(store, column)]
    found: list[Structure] = []
    if total >= ANN_MIN_CLIPS:
        trained_on = int(held.get("vector", "vector_0").rpartition("_")[2])
        if total >= RETRAIN_GROWTH * trained_on:
            found.append(Structure("vector", f"vector_{total}", held.get("vector")))
        columns += sorted({"id", "media_id"} - held.keys())
    return [*found, *(Structure(column, f"{column}_idx") for column in columns)]


def maintain(store: Store, ahead: Callable[[Store], None] | None = None) -> None:
    """Compact the tables and bring their search structures up to date.

    IVF_RQ is the approximate index that keeps its recall at a fraction of the
    build time of the others; look-ups by id get a B-tree, words a full-text index.

    Args:
        store: the index, whose lock the caller holds.
        ahead: does as much of it as it can elsewhere (``sayso.index.segments``); the rest is done here.
    """
    if ahead is not None:
        ahead(store)
        store.refresh()
    for one in missing_structures(store):
        store.clips.create_index(one.column, config=structure_config(store, one.column), name=one.name)
        if one.replaces:
            store.clips.drop_index(one.replaces)
    for table in (store.clips, store.media):
        table.optimize(cleanup_older_than=KEEP_VERSIONS)


def structure_config(store: Store, column: str) -> Any:
    """Return how the search structure of a column is made, as LanceDB takes it."""
    from lancedb.index import FTS, BTree, IvfRq

    if column == "vector":
        return IvfRq(distance_type=store.identity.metric, sample_rate=SAMPLED)
    return FTS(**TOKENS) if column in WORDS else BTree()


def lacks_words(store: Store) -> bool:
    """Tell whether text is held that no full-text index finds: a run was killed before it made one."""
    return any(one.column in WORDS for one in missing_structures(store))


def _holds(store: Store, column: str) -> bool:
    return bool(store.clips.search().where(f"{column} != ''").select(["id"]).limit(1).to_arrow().num_rows)
