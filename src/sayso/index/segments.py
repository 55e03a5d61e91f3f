"""Making the search structures of a large index on a cluster: in segments, named in one commit each.

First the fragments of many writers are compacted, each group by one worker; then each worker makes a segment
of every structure that is missing, of some fragments; the driver commits. Vectors share one set of centroids,
trained once on a sample, and one rotation. What a worker could not do, or is too small for a cluster, is done
by ``maintain``. A driver that is killed leaves files that nothing names, which Lance removes after a week.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from sayso.core.lazy import need
from sayso.engine.ray_extract import TRIES, ray_cluster, run_on_ray, worker_count
from sayso.index.maintaining import PARTITION, SAMPLED, TOKENS, Structure, missing_structures
from sayso.index.shards import EXTRA, clips_uri
from sayso.index.store import WORDS, Store

if TYPE_CHECKING:
    from sayso.index.cluster import Cluster

log = logging.getLogger(__name__)

FRAGMENT_ROWS = 1 << 20
"""Clips of a compacted fragment, as ``optimize`` wants them."""

SEGMENTS = 8
"""At most: a search looks into some partitions of each."""


@dataclass(frozen=True, slots=True)
class Compaction:
    """Fragments to be written as one.

    Args:
        task: Lance's.
    """

    task: Any

    def run(self, table: Any, kinds: dict[str, dict[str, Any]]) -> Any:  # noqa: ARG002  of structures
        """Write them; nobody sees it before the driver's commit."""
        return self.task.execute(table)


@dataclass(frozen=True, slots=True)
class IndexSegment:
    """A part of a search structure.

    Args:
        column: which structure.
        fragments: numbers of those that it covers.
    """

    column: str
    fragments: tuple[int, ...]

    def run(self, table: Any, kinds: dict[str, dict[str, Any]]) -> Any:
        """Make it; nobody sees it before the driver's commit."""
        how = kinds[self.column]
        return table.create_index_uncommitted(self.column, **how, fragment_ids=list(self.fragments))


Piece = Compaction | IndexSegment


@dataclass(frozen=True, slots=True)
class _Begin:
    """What an actor starts with."""

    uri: str
    version: int
    kinds: dict[str, dict[str, Any]]

    def __call__(self) -> Callable[[Piece], Any]:
        table = need("lance", EXTRA).dataset(self.uri, version=self.version)
        return lambda piece: piece.run(table, self.kinds)


def build_on_cluster(store: Store, cluster: Cluster) -> None:
    """Compact an index, and make the search structures that it lacks, where that is work for several.

    Args:
        store: the index, whose lock the caller holds.
        cluster: where.

    Raises:
        SaysoError: if the cluster cannot be reached.
    """
    if store.clips.count_rows() < 2 * FRAGMENT_ROWS or not (
        missing_structures(store) or _plan(_table(store)).tasks
    ):
        return
    with ray_cluster(cluster.address) as ray:
        workers = cluster.actors or worker_count(ray)
        for _ in range(TRIES):
            if _compact(store, workers):
                break
        store.refresh()
        _make(store, missing_structures(store), workers)


def _compact(store: Store, workers: int) -> bool:
    """Compact the clips; return False where another commit came between, so that it is planned anew."""
    table = _table(store)
    pieces = [Compaction(task) for task in _plan(table).tasks]
    results, _ = _run(store, table.version, pieces, {}, workers)
    if not results:
        return True
    try:
        need("lance.optimize", EXTRA).Compaction.commit(table, [result for _, result in results])
    except OSError as error:
        log.info("compaction is planned anew: %s", error)
        return "conflict" not in str(error)
    return True


def _plan(table: Any) -> Any:
    options = {"target_rows_per_fragment": FRAGMENT_ROWS}
    return need("lance.optimize", EXTRA).Compaction.plan(table, options)


def _make(store: Store, structures: Sequence[Structure], workers: int) -> None:
    """Make structures, all of their segments at a time, and commit those that are whole."""
    if not structures:
        return
    table = _table(store)
    groups = share_out(table, min(workers, SEGMENTS))
    pieces = [IndexSegment(one.column, group) for one in structures for group in groups]
    kinds = {one.column: segment_settings(store, table, one) for one in structures}
    made, failed = _run(store, table.version, pieces, kinds, workers)
    for one in structures:
        segments = [segment for piece, segment in made if piece.column == one.column]
        if one.column not in {piece.column for piece in failed}:
            table.commit_existing_index_segments(one.name, one.column, segments)
            if one.replaces:
                table.drop_index(one.replaces)


def _run(
    store: Store, version: int, pieces: Sequence[Any], kinds: dict[str, dict[str, Any]], workers: int
) -> tuple[list[tuple[Any, Any]], list[Any]]:
    """Return pieces with what became of them, and those that could not be done."""
    done, failed = [], []
    begin = _Begin(clips_uri(store), version, kinds)
    for one in run_on_ray(pieces, begin, actors=workers) if pieces else ():
        if one.error is None:
            done.append((one.work, one.result))
        else:
            log.warning("a part of the index is made here, since a worker could not: %s", one.error)
            failed.append(one.work)
    return done, failed


def segment_settings(store: Store, table: Any, structure: Structure) -> dict[str, Any]:
    """Return how a structure is made, the same for all of its segments; vectors are trained for here.

    Args:
        store: the index.
        table: its clips, as Lance has them.
        structure: which.
    """
    if structure.column in WORDS:
        return {"index_type": "INVERTED", "name": structure.name, **TOKENS}
    if structure.column != "vector":
        return {"index_type": "BTREE", "name": structure.name}
    builder, native = need("lance.indices", EXTRA), need("lance.lance", EXTRA).indices
    metric, partitions = store.identity.metric, max(1, table.count_rows() // PARTITION)
    trained = builder.IndicesBuilder(table, "vector").train_ivf(
        partitions, distance_type=metric, sample_rate=SAMPLED
    )
    return {
        "index_type": "IVF_RQ",
        "name": structure.name,
        "metric": metric,
        "num_bits": 1,
        "num_partitions": partitions,
        "ivf_centroids": trained.centroids,
        "rabitq_model": native.build_rq_model(store.identity.dim, num_bits=1),
    }


def share_out(table: Any, count: int) -> list[tuple[int, ...]]:
    """Share the fragments out, in their order, about as many clips in each group."""
    fragments = table.get_fragments()
    sizes = [fragment.count_rows() for fragment in fragments]
    each, groups = sum(sizes) / count, [list[int]() for _ in range(count)]
    for fragment, size, end in zip(fragments, sizes, accumulate(sizes), strict=True):
        groups[min(count - 1, int((end - size / 2) / each))].append(fragment.fragment_id)
    return [tuple(group) for group in groups if group]


def _table(store: Store) -> Any:
    return need("lance", EXTRA).dataset(clips_uri(store))
