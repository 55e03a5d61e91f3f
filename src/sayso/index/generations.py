"""Generations of an index's tables: another model makes new ones beside the old, and one commit switches.

The number of the tables that count stands in a table of its own; without one it is the first. Readers look
once a second whether it has changed. What was superseded stays for a while, for those who still read it.
"""

from __future__ import annotations

import time

import pyarrow as pa

from sayso.index.maintaining import KEEP_VERSIONS
from sayso.index.schema import FIRST, GENERATION_TABLE, MEDIA_TABLE, OF_A_GENERATION, name_in
from sayso.index.store import Store


def switch_generation(store: Store, number: int) -> None:
    """Make other tables count, in one commit.

    Args:
        store: the index, whose lock the caller holds.
        number: of the tables.
    """
    row = pa.table({"number": [number], "switched": [time.time()]})
    store.connection.create_table(GENERATION_TABLE, row, mode="overwrite")


def drop_superseded(store: Store) -> None:
    """Remove the tables of older generations, once nobody can be reading them.

    Args:
        store: the index, whose lock the caller holds.
    """
    if store.generation == FIRST:
        return
    rows = store.connection.open_table(GENERATION_TABLE).search().limit(1).to_arrow().to_pylist()
    if time.time() - rows[0]["switched"] > KEEP_VERSIONS.total_seconds():
        for number in range(FIRST, store.generation):
            drop_generation(store, number)


def drop_generation(store: Store, number: int) -> None:
    """Remove the tables of a generation, the one first that says that it is there.

    Args:
        store: the index.
        number: of the generation.
    """
    for name in sorted(OF_A_GENERATION, key=lambda name: name != MEDIA_TABLE):
        named = name_in(number, name)
        if store.table(named) is not None:
            store.connection.drop_table(named)
