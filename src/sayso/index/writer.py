"""Writing what was embedded: in batches, beside decoding and encoding, in an order that survives a kill."""

from __future__ import annotations

import json
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from sayso.engine.extract import Embedded, Finished
from sayso.index.plan import Planned, row_of
from sayso.index.schema import MEDIA_SCHEMA, clips_schema
from sayso.index.store import Store, title_of

FLUSH_ROWS = 1024
FLUSH_S = 5.0


class Writer:
    """Collects embedded clips and finished files, and commits them together.

    Args:
        store: where to; the caller holds its lock.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.schema = clips_schema(store.identity)
        self.clips: list[dict[str, Any]] = []
        self.vectors: list[np.ndarray[Any, Any]] = []
        self.media: list[dict[str, Any]] = []
        self.replaced: list[str] = []
        self.counts: dict[str, int] = {}
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="write")
        self.pending: Future[None] | None = None
        self.flushed = time.monotonic()

    def add(self, item: Embedded) -> None:
        """Take one clip."""
        from sayso.text import transcript_of

        planned: Planned = item.job.tag
        media_id = planned.record.media_id
        number = self.counts.get(media_id, 0)
        self.counts[media_id] = number + 1
        row = row_of(planned.source, item.span)
        title = row.title if row else None
        shown = {
            "id": f"{media_id}-{number}",
            "kind": item.job.kind,
            "title": title,
            "duration": item.facts.duration,
            "text": (row and row.text) or transcript_of(planned.captions, item.span),
            "meta": dict(row.meta) if row else {},
        }
        self.clips.append(
            {
                **shown,
                "media_id": media_id,
                "path": planned.source.path,
                "title": title or title_of(planned.source.path),
                "start_s": item.span.start,
                "end_s": item.span.end,
                "shown": json.dumps(shown, default=str),
                "thumb": item.thumb,
            }
        )
        self.vectors.append(item.vector)
        self._flush_if_due()

    def finish(self, item: Finished) -> int:
        """Take note that a file is done; return how many clips it gave."""
        planned: Planned = item.job.tag
        record = planned.record
        count = self.counts.pop(record.media_id, 0)
        if count == 0:
            return 0
        whole = row_of(planned.source, item.job.spans[0]) if item.job.spans else None
        self.media.append(
            {
                "path": planned.source.path,
                "media_id": record.media_id,
                "kind": item.job.kind,
                "title": (whole and whole.title) or title_of(planned.source.path),
                "size": record.size,
                "mtime_ns": record.mtime_ns,
                "content": record.content,
                "recipe": record.recipe,
                "duration": item.facts.duration,
                "width": item.facts.width,
                "height": item.facts.height,
                "video_codec": item.facts.video_codec,
                "audio_codec": item.facts.audio_codec,
                "container": item.facts.container,
                "clips": count,
                "captions": [
                    {"start_s": c.span.start, "end_s": c.span.end, "text": c.text, "speaker": c.speaker}
                    for c in planned.captions
                ],
                "error": item.error,
                "added": datetime.now(UTC).isoformat(timespec="seconds"),
            }
        )
        if planned.replaces:
            self.replaced.append(planned.replaces)
        self._flush_if_due()
        return count

    def close(self) -> None:
        """Write what is left and wait until it is on disk."""
        unfinished = self.counts.keys()
        keep = [k for k, row in enumerate(self.clips) if row["media_id"] not in unfinished]
        self.clips = [self.clips[k] for k in keep]
        self.vectors = [self.vectors[k] for k in keep]
        self._flush()
        self._wait()
        self.thread.shutdown()

    def _flush_if_due(self) -> None:
        if len(self.clips) + len(self.media) >= FLUSH_ROWS or time.monotonic() - self.flushed > FLUSH_S:
            self._flush()

    def _flush(self) -> None:
        self._wait()
        clips, media, replaced = self._clips_table(), self.media, self.replaced
        self.clips, self.vectors, self.media, self.replaced = [], [], [], []
        self.flushed = time.monotonic()

        def write() -> None:
            if clips.num_rows:
                self.store.append(clips)
            if media:
                self.store.commit(pa.Table.from_pylist(media, schema=MEDIA_SCHEMA), replaced)

        self.pending = self.thread.submit(write)

    def _wait(self) -> None:
        if self.pending is not None:
            self.pending.result()

    def _clips_table(self) -> pa.Table:
        dim = self.store.identity.dim
        flat = np.concatenate([np.empty(0, np.float16), *(v.astype(np.float16) for v in self.vectors)])
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(flat), dim)
        columns = [
            vectors
            if field.name == "vector"
            else pa.array([row[field.name] for row in self.clips], type=field.type)
            for field in self.schema
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)
