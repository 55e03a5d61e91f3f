"""Writing what was embedded: in batches, beside decoding and encoding, in an order that survives a kill."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sayso.core.fence import why_it_failed
from sayso.core.types import Caption, Span
from sayso.data.manifest import Row
from sayso.engine.extract import Finished
from sayso.engine.segment import Job, JobClip
from sayso.index.schema import MEDIA_SCHEMA, Record, clips_schema
from sayso.index.store import Store, title_of
from sayso.index.taken import shown_taken, taken_row
from sayso.index.thumbs import Thumbs, keeps_thumb
from sayso.media.capture import Capture

if TYPE_CHECKING:
    from sayso.index.shards import ShardSink
    from sayso.media.header import Probe

FLUSH_ROWS = 1024
FLUSH_S = 5.0
MEDIA_ROW = pa.struct(list(MEDIA_SCHEMA))


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexJob(Job):
    """A file to read into an index, with what the index notes of it besides.

    Args:
        rows: of the manifest, that name the file.
        captions: what is said in it.
        seen: what a model saw in it.
        capture: how it was taken.
        record: how the file is recognised later.
        replaces: the medium that goes when this one is there.
        thumbs: which of its clips keep their pictures.
    """

    rows: tuple[Row, ...]
    captions: Sequence[Caption]
    seen: Sequence[Caption] = ()
    capture: Capture = field(default_factory=Capture)
    record: Record
    replaces: str | None
    thumbs: Thumbs = "clip"

    def words(self, span: Span) -> dict[str, str]:
        """Return what is said and what was seen in a clip, as its row holds them."""
        from sayso.text import transcript_of

        listed = self.row(span)
        whole = self.kind == "picture"
        return {
            "text": (listed.text if listed else "") or transcript_of(self.captions, span),
            "seen": " ".join(c.text for c in self.seen) if whole else transcript_of(self.seen, span),
        }

    def taken(self, probe: Probe | None) -> dict[str, Any]:
        """Return the columns of how it was taken.

        Args:
            probe: what its header says; None for a picture.
        """
        size = (probe.width, probe.height) if probe else (self.capture.width, self.capture.height)
        return taken_row(self.capture, *size)

    def row(self, span: Span) -> Row | None:
        """Return the manifest's row of a span, or the row that describes the whole file."""
        exact = (row for row in self.rows if row.span == span)
        whole = (row for row in self.rows if row.span is None)
        return next(exact, None) or next(whole, None)


class Writer:
    """Collects embedded clips and finished files, and commits them together.

    Args:
        store: where to; the caller holds its lock. One shard needs none.
    """

    def __init__(self, store: Store | ShardSink) -> None:
        self.store = store
        self.schema = clips_schema(store.identity)
        self.row_type = pa.struct([field for field in self.schema if field.name != "vector"])
        self.clips: list[dict[str, Any]] = []
        self.vectors: list[np.ndarray[Any, Any]] = []
        self.media: list[dict[str, Any]] = []
        self.replaced: list[str] = []
        self.counts: dict[str, int] = {}
        self.refused: dict[str, str] = {}
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="write")
        self.pending: Future[None] | None = None
        self.flushed = time.monotonic()

    def add(self, clip: JobClip[IndexJob]) -> None:
        """Take one clip, its content a vector (D,)."""
        job = clip.job
        media_id = job.record.media_id
        number = self.counts.get(media_id, 0)
        self.counts[media_id] = number + 1
        if media_id in self.refused:
            return
        try:
            row = _clip_row(clip, f"{media_id}-{number}")
            pa.array([row], type=self.row_type)
        except Exception as error:  # noqa: BLE001  one odd row must not stop its batch
            self.refused[media_id] = why_it_failed(error, job.path)
            return
        self.clips.append(row if keeps_thumb(job.thumbs, number) else row | {"thumb": b""})
        self.vectors.append(clip.content)
        self._flush_if_due()

    def finish(self, item: Finished[IndexJob]) -> tuple[Finished[IndexJob], int]:
        """Note that a file is done; return it, with what is wrong with its rows, and its number of clips."""
        media_id = item.job.record.media_id
        count = self.counts.pop(media_id, 0)
        if count and media_id not in self.refused:
            try:
                row = _media_row(item, count)
                pa.array([row], type=MEDIA_ROW)
            except Exception as error:  # noqa: BLE001
                self.refused[media_id] = why_it_failed(error, item.job.path)
        if count == 0 or media_id in self.refused:
            return replace(item, error=item.error or self.refused.get(media_id)), 0
        self.media.append(row)
        if item.job.replaces:
            self.replaced.append(item.job.replaces)
        self._flush_if_due()
        return item, count

    def close(self) -> None:
        """Write what is left and wait until it is on disk."""
        unfinished = self.counts.keys() | self.refused.keys()
        keep = [k for k, row in enumerate(self.clips) if row["media_id"] not in unfinished]
        self.clips = [self.clips[k] for k in keep]
        self.vectors = [self.vectors[k] for k in keep]
        try:
            self._flush()
            self._wait()
            self.store.delete_clips(self.refused)
        finally:
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


def _clip_row(clip: JobClip[IndexJob], id_: str) -> dict[str, Any]:
    """Return a clip's row of the table, but for its vector."""
    job = clip.job
    row = job.row(clip.span)
    title = row.title if row else None
    taken = job.taken(clip.probe)
    shown = {
        "id": id_,
        "kind": job.kind,
        "title": title,
        "duration_s": clip.probe.duration if clip.probe else None,
        **job.words(clip.span),
        "meta": dict(row.meta) if row else {},
        **shown_taken(taken),
    }
    return {
        **shown,
        **taken,
        "media_id": job.record.media_id,
        "path": job.path,
        "title": title or title_of(job.path),
        "start_s": clip.span.start,
        "end_s": clip.span.end,
        "shown": json.dumps(shown, default=str),
        "thumb": clip.thumb,
    }


def _media_row(item: Finished[IndexJob], clips: int) -> dict[str, Any]:
    """Return a file's row of the table."""
    job = item.job
    row = job.row(job.spans[0]) if job.spans else None
    return {
        "path": job.path,
        "media_id": job.record.media_id,
        "kind": job.kind,
        "title": (row and row.title) or title_of(job.path),
        "size": job.record.size,
        "mtime_ns": job.record.mtime_ns,
        "content": job.record.content,
        "settings": job.record.settings,
        **_probed(item.probe, job.capture),
        **job.taken(item.probe),
        "clips": clips,
        "captions": caption_rows(job.captions),
        "error": item.error,
        "added": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def caption_rows(captions: Sequence[Caption]) -> list[dict[str, Any]]:
    """Return captions as a file's row holds them."""
    return [
        {"start_s": c.span.start, "end_s": c.span.end, "text": c.text, "speaker": c.speaker} for c in captions
    ]


def _probed(probe: Probe | None, capture: Capture) -> dict[str, Any]:
    if probe is None:
        known = {"width": capture.width, "height": capture.height}
        return dict.fromkeys(("duration_s", "video_codec", "audio_codec", "container")) | known
    return {
        "duration_s": probe.duration,
        "width": probe.width,
        "height": probe.height,
        "video_codec": probe.video_codec,
        "audio_codec": probe.audio_codec,
        "container": probe.container,
    }
