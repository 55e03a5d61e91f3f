"""New captions for a file whose pictures are indexed already: its clips keep their vectors."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from sayso.core.types import Span
from sayso.index.schema import MEDIA_SCHEMA, Record
from sayso.index.sql import sql_string
from sayso.index.store import Store
from sayso.index.writer import IndexJob, caption_rows


def retext(store: Store, job: IndexJob, old: Record) -> bool:
    """Write a file's clips anew with other words; False if the index does not hold them all.

    Args:
        store: the index, whose lock the caller holds.
        job: the file, with its captions now.
        old: what the index held of it.
    """
    medium = f"media_id = {sql_string(old.media_id)}"
    media = store.media.search().where(medium).to_arrow().to_pylist()
    clips = store.clips.search().where(medium).limit(store.clips.count_rows()).to_arrow()
    if len(media) != 1 or clips.num_rows != media[0]["clips"]:
        return False
    rows = [_retold(row, job) for row in clips.drop_columns(["vector"]).to_pylist()]
    columns = [
        clips.column("vector")
        if field.name == "vector"
        else pa.array([row[field.name] for row in rows], field.type)
        for field in store.clips.schema
    ]
    store.append(pa.Table.from_arrays(columns, schema=store.clips.schema))
    changed = {
        **media[0],
        "media_id": job.record.media_id,
        "settings": job.record.settings,
        "mtime_ns": job.record.mtime_ns,
        "captions": caption_rows(job.captions),
        "added": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    store.commit(pa.Table.from_pylist([changed], schema=MEDIA_SCHEMA), [old.media_id])
    return True


def _retold(row: dict[str, Any], job: IndexJob) -> dict[str, Any]:
    """Return a clip's row with the words that are said in it now."""
    words = job.words(Span(row["start_s"], row["end_s"]))
    id_ = f"{job.record.media_id}-{row['id'].rpartition('-')[2]}"
    shown = {**json.loads(row["shown"]), "id": id_, **words}
    return {
        **row,
        "id": id_,
        "media_id": job.record.media_id,
        **words,
        "shown": json.dumps(shown, default=str),
    }
