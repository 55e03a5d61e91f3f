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
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sayso.core.errors import SaysoError
from sayso.index.adding import Adding, add_paths
from sayso.index.background import calibrate_index
from sayso.index.check import Damage, check_index
from sayso.index.checksums import Checksums, read_checksums, write_checksums
from sayso.index.generations import switch_generation
from sayso.index.maintaining import maintain
from sayso.index.orphans import remove_orphans
from sayso.index.roots import TABLE as ROOTS
from sayso.index.roots import Root, Roots, save_roots
from sayso.index.schema import CLIPS_TABLE, MEDIA_SCHEMA, MEDIA_TABLE, Identity
from sayso.index.store import FIRST, GENERATION_TABLE, Store

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder
    from sayso.index.report import AddReport

BACKGROUND = "background"
_TABLES = (CLIPS_TABLE, MEDIA_TABLE, BACKGROUND)
ASIDE = ".damaged"
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
    _put_back(address)
    record = None if "://" in address else read_checksums(address)
    damage = check_index(Store(address, record.generation if record else None), options.progress)
    if record is not None:
        _heal_common(address, record, damage)
    store = Store(address)
    own = [one for one in damage if one.name.startswith((*map(store.named, _TABLES), *_TABLES))]
    identity = _identity(store, record)
    if own:
        try:
            _make_whole(store, own, identity, prune=options.prune)
        except SaysoError:
            if record is not None:  # what is damaged stays known as such
                write_checksums(address, record)
            raise
        store = Store(address)
    report = add_paths(store, [], lambda: load(identity.model), options)
    with store.writing():
        calibrate_index(store, lambda: load(identity.model))
    return damage, report


def _make_whole(store: Store, damage: list[Damage], identity: Identity, *, prune: bool) -> None:
    """Make the tables of the generation that counts whole, as far as their rows can be read."""
    with store.writing():
        if all(one.of_structures for one in damage):
            _make_structures(store)
            for one in damage:
                Path(store.address, one.name).unlink(missing_ok=True)
        elif any(not one.name.startswith(store.named(BACKGROUND)) for one in damage):
            _set_aside(store.address, damage)
            try:
                _take_over(store, identity, prune=prune)
            finally:
                _put_back(store.address)
        else:
            _remove(store.address, store.named(BACKGROUND))


def _heal_common(address: str, record: Checksums, damage: list[Damage]) -> None:
    """Bring back what stands in no generation: which one counts, and what the index remembers."""
    wrong = {one.name for one in damage}
    healed = {name.partition(".lance/")[0] for name in wrong} & {GENERATION_TABLE, ROOTS}
    files = {name: held for name, held in record.files.items() if name.partition(".lance/")[0] not in healed}
    for table in healed:
        _remove(address, table)
    if GENERATION_TABLE in healed and record.generation != FIRST:
        switch_generation(Store(address, record.generation), record.generation)
    if ROOTS in healed:
        save_roots(Store(address, record.generation), Roots(tuple(Root(**row) for row in record.roots)))
    if wrong:
        write_checksums(address, replace(record, settled=False, files=files))


def _remove(address: str, table: str) -> None:
    shutil.rmtree(Path(address, f"{table}.lance"), ignore_errors=True)


def _identity(store: Store, record: Checksums | None) -> Identity:
    try:
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


def _take_over(store: Store, identity: Identity, *, prune: bool) -> None:
    """Copy the media that are whole into new tables, and make those count.

    Raises:
        SaysoError: if a file that lost a clip is not there, unless it is pruned; the old tables still count.
    """
    number = store.generation + 1
    for name in _TABLES:
        _remove(store.address, f"{name}_{number}")
    new = Store(store.address, number)
    new.create(identity)
    held: Counter[str] = Counter()
    lost: set[str] = set()
    for rows in _readable(store, CLIPS_TABLE):
        held.update(rows.column("media_id").to_pylist())
        lost.update(rows.column("path").to_pylist())
        new.append(rows.select(new.clips.schema.names).cast(new.clips.schema))
    for rows in _readable(store, MEDIA_TABLE):
        whole = [held[row["media_id"]] == row["clips"] for row in rows.to_pylist()]
        kept = rows.select(MEDIA_SCHEMA.names).filter(pa.array(whole)).cast(MEDIA_SCHEMA)
        lost.update(rows.column("path").to_pylist())
        lost.difference_update(kept.column("path").to_pylist())
        if kept.num_rows:
            new.commit(kept)
    if not prune:
        _refuse_missing(store.address, lost)
    remove_orphans(new)
    maintain(new)
    switch_generation(new, number)
    for name in _TABLES:
        _remove(store.address, store.named(name))


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
        taken: pa.Table = table.take_offsets(rows).to_arrow()
        taken.validate(full=True)
    except Exception:  # noqa: BLE001
        return None
    return taken
