"""Making a damaged index whole: what can be read is taken over, and what is lost is read again.

Damage of search structures alone: they are made anew. Else the rows that can be read go into new tables
beside the old ones, media that lost a clip are left out, one commit switches, and the index is brought up to
date. Damaged files lie aside until then: where a file that lost a clip is not there to be read again, as on a
drive that is not mounted, all stays as it was, unless that is wanted. A repair that was killed begins anew.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sayso.core.errors import SaysoError
from sayso.core.panic import panics_as_errors
from sayso.index.adding import Adding, add_paths
from sayso.index.background import calibrate_index
from sayso.index.check import Damage, check_index
from sayso.index.checksums import ASIDE, Checksums, is_current, newest_version, read_checksums, settle
from sayso.index.commit import settle_shards
from sayso.index.generations import switch_generation
from sayso.index.lock import file_lock
from sayso.index.maintaining import maintain
from sayso.index.orphans import remove_orphans
from sayso.index.roots import Root, Roots, save_roots
from sayso.index.schema import (
    BACKGROUND_TABLE,
    CLIPS_TABLE,
    FIRST,
    GENERATION_TABLE,
    MEDIA_SCHEMA,
    MEDIA_TABLE,
    OF_A_GENERATION,
    ROOTS_TABLE,
    Identity,
    name_in,
)
from sayso.index.shards import FOLDER, ShardFolder
from sayso.index.store import Store

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder
    from sayso.index.report import AddReport

CHUNK = 1024
"""Rows that are taken over at once; of a chunk that cannot be read, each row is tried."""


def repair_index(
    address: str, load: Callable[[str], Encoder], options: Adding
) -> tuple[list[Damage], AddReport]:
    """Make an index whole; return what was wrong, and what was read again.

    Args:
        address: of the index.
        load: loads an encoder by name; called only if something has to be read.
        options: how files are read; ``prune``: what is lost and not there any more is left out.

    Raises:
        SaysoError: if neither the tables nor the record say what the index was, or what is lost is not there.
    """
    with _alone(address):
        _put_back(address)
        record = None if "://" in address else read_checksums(address)
        damage = check_index(Store(address, record.generation if record else None), options.progress)
        if record is not None:
            record = _heal_common(address, record, damage)
        store = Store(address)
        identity = _identity(store, record)
        own = [
            one
            for one in damage
            if one.name.startswith((*map(store.named, OF_A_GENERATION), *OF_A_GENERATION))
        ]
        if own:
            _make_whole(store, own, identity, record, prune=options.prune)
        store = Store(address)
        if not store.remote:
            settle(store, record)
    report = add_paths(store, [], lambda: load(identity.model), options)
    with store.writing():
        calibrate_index(store, lambda: load(identity.model))
    return damage, report


@contextmanager
def _alone(address: str) -> Iterator[None]:
    """Be the only one who writes to an index, and to the tables that another model would get."""
    if "://" in address:
        with Store(address).writing():
            yield
        return
    record = read_checksums(address)
    number = record.generation if record is not None else Store(address).generation
    with file_lock(Path(address), f"writer_{number + 1}"), file_lock(Path(address), "writer"):
        yield


def _make_whole(
    store: Store, damage: list[Damage], identity: Identity, record: Checksums | None, *, prune: bool
) -> None:
    """Make the tables of the generation that counts whole, as far as their rows can be read."""
    if all(one.of_structures for one in damage):
        _make_structures(store)
        for one in damage:
            Path(store.address, one.name).unlink(missing_ok=True)
    elif any(not one.name.startswith(store.named(BACKGROUND_TABLE)) for one in damage):
        clips = store.named(CLIPS_TABLE)
        newest = record and newest_version(record, clips)
        trusted = newest is None or newest not in {one.name for one in damage}
        _set_aside(store.address, damage)
        try:
            _take_over(store, identity, prune=prune, trusted=trusted)
        finally:
            _put_back(store.address)
    else:
        _remove(store.address, store.named(BACKGROUND_TABLE))


def _heal_common(address: str, record: Checksums, damage: list[Damage]) -> Checksums:
    """Bring back what stands in no generation: which one counts, and what the index remembers.

    What can be read stays where the record is older than it. Returns the record without what was made anew.
    """
    damaged = {one.name.partition(".lance/")[0] for one in damage} & {GENERATION_TABLE, ROOTS_TABLE}
    current = is_current(address, record)
    healed = {name for name in damaged if current or not _can_be_read(address, name)}
    for table in healed:
        _remove(address, table)
    if GENERATION_TABLE in healed and record.generation != FIRST:
        switch_generation(Store(address, record.generation), record.generation)
    if ROOTS_TABLE in healed:
        save_roots(Store(address, record.generation), Roots(tuple(Root(**row) for row in record.roots)))
    files = {name: held for name, held in record.files.items() if name.partition(".lance/")[0] not in healed}
    return replace(record, files=files)


def _can_be_read(address: str, table: str) -> bool:
    try:
        with panics_as_errors():
            found = Store(address, FIRST).table(table)
            return found is not None and found.search().to_arrow().num_rows > 0
    except Exception:  # noqa: BLE001  LanceDB raises whatever it meets
        return False


def _remove(address: str, table: str) -> None:
    shutil.rmtree(Path(address, f"{table}.lance"), ignore_errors=True)


def _identity(store: Store, record: Checksums | None) -> Identity:
    try:
        with panics_as_errors():
            return store.identity
    except Exception as error:  # the table cannot be read
        if record is None or not record.identity:
            raise SaysoError(
                f"the index {store.address} cannot be repaired: nothing says which model made it; remove it, "
                "and index again"
            ) from error
        return Identity(**record.identity)


def _make_structures(store: Store) -> None:
    for index in store.clips.list_indices():
        store.clips.drop_index(index.name)
    maintain(store)


def _set_aside(address: str, damage: list[Damage]) -> None:
    """Give damaged files of rows another name, so that none of their rows is taken for whole."""
    for one in damage:
        path = Path(address, one.name)
        if ".lance/" in one.name and path.exists():
            path.replace(path.with_name(path.name + ASIDE))


def _put_back(address: str) -> None:
    """Give files that lie aside their names again; of tables that are gone there are none."""
    if "://" not in address:
        for path in Path(address).rglob(f"*{ASIDE}"):
            path.replace(path.with_name(path.name.removesuffix(ASIDE)))


def _take_over(store: Store, identity: Identity, *, prune: bool, trusted: bool) -> None:
    """Copy the media that are whole into new tables, and make those count.

    Args:
        store: the tables that count.
        identity: of the index.
        prune: whether what is lost and not there any more is given up.
        trusted: whether the clips that can be read are of the newest version; else none is taken over.

    Raises:
        SaysoError: if a file that lost a clip is not there, unless it is pruned; the old tables still count.
    """
    number = store.generation + 1
    for name in OF_A_GENERATION:
        _remove(store.address, name_in(number, name))
    new = Store(store.address, number)
    new.create(identity)
    held: Counter[str] = Counter()
    lost, without_medium = _settled_shards(store), dict[str, str]()
    for rows in _readable(store, CLIPS_TABLE):
        ids = rows.column("media_id").to_pylist()
        without_medium.update(zip(ids, rows.column("path").to_pylist(), strict=True))
        if trusted:
            held.update(ids)
            new.append(rows.select(new.clips.schema.names).cast(new.clips.schema))
    for rows in _readable(store, MEDIA_TABLE):
        plain = rows.select(["media_id", "path", "clips"]).to_pylist()
        whole = [held[row["media_id"]] == row["clips"] for row in plain]
        for row, is_whole in zip(plain, whole, strict=True):
            without_medium.pop(row["media_id"], None)
            (lost.discard if is_whole else lost.add)(row["path"])
        kept = rows.select(MEDIA_SCHEMA.names).filter(pa.array(whole)).cast(MEDIA_SCHEMA)
        if kept.num_rows:
            new.commit(kept)
    lost |= set(without_medium.values())
    if not prune:
        _refuse_missing(store.address, lost)
    remove_orphans(new)
    maintain(new)
    switch_generation(new, number)
    for name in OF_A_GENERATION:
        _remove(store.address, store.named(name))
    shutil.rmtree(Path(store.address, store.named(FOLDER)), ignore_errors=True)


def _settled_shards(store: Store) -> set[str]:
    """Commit what workers have ready; return the files of shards with which that does not go."""
    try:
        with panics_as_errors():
            settle_shards(store)
    except Exception:  # noqa: BLE001  the tables are damaged, or Lance is not installed
        folder = ShardFolder(store)
        return {row["path"] for id_ in folder.ids() if (shard := folder.read(id_)) for row in shard.media}
    return set()


def _refuse_missing(address: str, lost: Iterable[str]) -> None:
    missing = sorted(path for path in lost if not os.path.lexists(path))
    if missing:
        others = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise SaysoError(
            f"nothing was repaired: clips of {missing[0]}{others} are lost, not there to be read again; "
            f"mount their drive, or give them up with: sayso index {quote(address)} --repair --prune"
        )


def _readable(store: Store, name: str) -> Iterator[pa.Table]:
    """Give the rows of a table that can be read, in pieces."""
    try:
        with panics_as_errors():
            table = store.table(store.named(name))
            count = table.count_rows() if table is not None else 0
    except Exception:  # noqa: BLE001  LanceDB raises whatever it meets
        return
    for start in range(0, count, CHUNK):
        rows = list(range(start, min(start + CHUNK, count)))
        chunk = _taken(table, rows)
        if chunk is not None:
            yield chunk
        else:
            yield from (one for row in rows if (one := _taken(table, [row])) is not None)


def _taken(table: Any, rows: list[int]) -> pa.Table | None:
    try:
        with panics_as_errors():
            taken: pa.Table = table.take_offsets(rows).to_arrow()
            taken.validate(full=True)
    except Exception:  # noqa: BLE001
        return None
    return taken
