"""One commit for many writers: all open shards become visible together.

What readers and a kill at any moment rely on, in this order, by whoever holds the lock:

1. the clips of all shards, in one commit; they do not count yet, as no medium names them;
2. their media, in one commit: appended, or merged where one of them replaces a medium;
3. one removal of the clips of what was replaced;
4. the shards are forgotten.

Lance does not notice that a fragment is committed twice, so it is looked up: a shard whose media are there is
only forgotten (killed after 2), and one whose clips are there lacks only its media (killed after 1). A shard
that was overtaken (another writer has committed one of its files otherwise, or Lance has cleaned its fragment
away) is forgotten whole, and the files that it alone had are read again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

from sayso.core.lazy import need
from sayso.index.live import clips_without_medium, is_whole
from sayso.index.schema import MEDIA_SCHEMA
from sayso.index.shards import EXTRA, Shard, ShardFolder, clips_uri

if TYPE_CHECKING:
    from sayso.index.store import Store


COMMIT_SHARE = 16
"""A commit waits for a sixteenth of the shards committed before; until then work is safe, but not seen."""

State = Literal["new", "again", "overtaken"]


@dataclass(slots=True)
class Committed:
    """What one commit did.

    Attributes:
        shards: that are visible since.
        again: that had been committed before.
        overtaken: that were forgotten.
    """

    shards: list[Shard] = field(default_factory=list)
    again: list[Shard] = field(default_factory=list)
    overtaken: list[Shard] = field(default_factory=list)


def is_due(waiting: int, committed: int) -> bool:
    """Tell whether open shards are to be committed now: so that all commits together cost what the last does.

    Args:
        waiting: how many shards are open.
        committed: how many have been committed before.
    """
    return waiting >= max(1, committed // COMMIT_SHARE)


def settle_shards(store: Store) -> Committed:
    """Commit all open shards.

    Args:
        store: the index, whose lock the caller holds.

    Raises:
        MissingExtra: if there are some, and Lance is not installed.
    """
    folder = ShardFolder(store)
    ids = folder.ids()
    done = Committed()
    if not ids:
        return done
    store.refresh()
    shards = [shard for shard in map(folder.read, ids) if shard is not None]
    held = _held(store, shards)
    left = Counter() if is_whole(store) else clips_without_medium(store)
    to_append = []
    for shard in shards:
        state = _state(shard, held)
        has_clips = state == "new" and bool(shard.media) and _counts(shard) == _counts(shard, left)
        if state == "new" and not has_clips and not folder.holds_clips_of(shard):
            state = "overtaken"
        if state == "new":
            held |= {row["path"]: row["media_id"] for row in shard.media}
            to_append += [] if has_clips else [shard]
        {"new": done.shards, "again": done.again, "overtaken": done.overtaken}[state].append(shard)
    store.delete_clips(row["media_id"] for shard in to_append for row in shard.media if left[row["media_id"]])
    _append_clips(store, to_append)
    rows = [row for shard in done.shards for row in shard.media]
    if rows:
        gone = [medium for shard in done.shards for medium in shard.replaces.values()]
        store.commit(pa.Table.from_pylist(rows, schema=MEDIA_SCHEMA), gone)
    for id_ in ids:
        folder.drop(id_)
    return done


def _held(store: Store, shards: list[Shard]) -> dict[str, str]:
    """Return what medium the index holds now for each path of some shards."""
    paths = pa.array([row["path"] for shard in shards for row in shard.media], pa.string())
    table = store.media.search().select(["path", "media_id"]).to_arrow()
    rows = table.filter(pc.is_in(table.column("path"), paths)).to_pylist()
    return {row["path"]: row["media_id"] for row in rows}


def _state(shard: Shard, held: Mapping[str, str]) -> State:
    """Tell whether a shard is new, was committed before, or was overtaken."""
    now = [(held.get(row["path"]), row) for row in shard.media]
    if now and all(medium == row["media_id"] for medium, row in now):
        return "again"
    fits = all(medium is None or medium == shard.replaces.get(row["path"]) for medium, row in now)
    return "new" if fits else "overtaken"


def _counts(shard: Shard, found: Mapping[str, int] | None = None) -> list[int]:
    """Return how many clips each file of a shard has, or how many of them were found."""
    return [row["clips"] if found is None else found.get(row["media_id"], 0) for row in shard.media]


def _append_clips(store: Store, shards: list[Shard]) -> None:
    """Commit the clips of shards."""
    fragments = list(chain.from_iterable(shard.fragments for shard in shards))
    if not fragments:
        return
    lance = need("lance", EXTRA)
    read = [lance.fragment.FragmentMetadata.from_json(json.dumps(one)) for one in fragments]
    version = store.clips.version
    lance.LanceDataset.commit(clips_uri(store), lance.LanceOperation.Append(read), read_version=version)
    store.clips.checkout_latest()
