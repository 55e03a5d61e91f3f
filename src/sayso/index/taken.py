"""How a file was taken, as the index holds it; and how an index that does not hold it yet comes to it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sayso.core.counted import counted
from sayso.index.schema import TAKEN_FIELDS
from sayso.index.sql import sql_in

if TYPE_CHECKING:
    from sayso.index.store import Store
    from sayso.media.capture import Capture

log = logging.getLogger(__name__)
TAKEN_COLUMNS = [name for name, _ in TAKEN_FIELDS]
BATCH = 500


def taken_row(capture: Capture, width: int | None, height: int | None) -> dict[str, Any]:
    """Return the columns of how a file was taken.

    Args:
        capture: what it says.
        width: pixels, as it is shown; None if unknown.
        height: the same.
    """
    said = asdict(capture)
    return {**{name: said.get(name) for name in TAKEN_COLUMNS}, "orientation": orientation(width, height)}


def orientation(width: int | None, height: int | None) -> str | None:
    """Return how a picture lies: landscape, portrait or square."""
    if not width or not height:
        return None
    return "square" if width == height else "landscape" if width > height else "portrait"


def shown_taken(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return of these columns what a hit shows: those that are known."""
    return {name: row[name] for name in TAKEN_COLUMNS if row.get(name) is not None}


def read_when_taken(store: Store) -> int:
    """Fill in how files were taken where the index does not say so; from their headers, nothing is decoded.

    Each batch is written with the clips before the files, so an interrupted run goes on where it ended.

    Args:
        store: the index, whose lock the caller holds.

    Returns:
        How many files were read.
    """
    for table in (store.clips, store.media):
        missing = [field for field in TAKEN_FIELDS if field[0] not in table.schema.names]
        if missing:
            table.add_columns(pa.schema(missing))
    columns = ["media_id", "path", "kind", "mtime_ns", "width", "height"]
    query = store.media.search().where("taken_from IS NULL").select(columns)
    rows = [row for row in query.to_arrow().to_pylist() if os.path.isfile(row["path"])]  # noqa: PTH113
    if rows:
        log.warning("%s: reading when %s taken", store.address, counted(len(rows), "file was", "files were"))
    with ThreadPoolExecutor() as threads:
        for start in range(0, len(rows), BATCH):
            _write(store, list(threads.map(_read, rows[start : start + BATCH])))
    return len(rows)


def _read(row: dict[str, Any]) -> dict[str, Any]:
    from sayso.media.capture import read_capture

    capture = read_capture(row["path"], row["mtime_ns"] / 1e9)
    width, height = row["width"] or capture.width, row["height"] or capture.height
    known = {"media_id": row["media_id"], "width": width, "height": height}
    return {**known, **taken_row(capture, width, height)}


def _write(store: Store, files: list[dict[str, Any]]) -> None:
    by_id = {row["media_id"]: row for row in files}
    query = store.clips.search().where(sql_in("media_id", by_id)).select(["id", "media_id", "shown"])
    clips = [_retaken(clip, by_id[clip["media_id"]]) for clip in query.to_arrow().to_pylist()]
    text = pa.string()
    if clips:
        schema = pa.schema([("id", text), ("shown", text), *TAKEN_FIELDS])
        _update(store.clips, "id", pa.Table.from_pylist(clips, schema))
    sizes = [("width", pa.int32()), ("height", pa.int32())]
    schema = pa.schema([("media_id", text), *sizes, *TAKEN_FIELDS])
    _update(store.media, "media_id", pa.Table.from_pylist(files, schema))


def _retaken(clip: dict[str, Any], file: dict[str, Any]) -> dict[str, Any]:
    shown = {**json.loads(clip["shown"]), **shown_taken(file)}
    return {**file, "id": clip["id"], "shown": json.dumps(shown, default=str)}


def _update(table: Any, key: str, rows: pa.Table) -> None:
    table.merge_insert(key).when_matched_update_all().execute(rows)
