"""What becomes of one file of a listing: it is read, its words are written anew, or only a note is made.

Nothing is written here, so that no lock is needed: digests of whole files take hours in a large collection.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sayso.core.errors import SaysoError
from sayso.data.manifest import Failure, ListedFile
from sayso.index.fingerprint import (
    captions_of,
    content_digest,
    digest,
    file_kind,
    file_status,
    seen_in,
    settings_digest,
    spans_of,
)
from sayso.index.report import PART
from sayso.index.schema import Record
from sayso.index.store import title_of
from sayso.index.writer import IndexJob
from sayso.media.capture import read_capture

if TYPE_CHECKING:
    from sayso.index.fingerprint import Segmentation
    from sayso.index.store import Store

Moved = Callable[[str, str], "tuple[str, Record] | None"]
"""Returns path and record of a file with this content and these settings that is gone from where it was."""


@dataclass(frozen=True, slots=True)
class Note:
    """A file that is in the index already, under another date or another path.

    Args:
        source: the file.
        media_id: what the index holds of it.
        mtime_ns: its date now.
        was: its path before; None: it has moved nowhere.
    """

    source: ListedFile
    media_id: str
    mtime_ns: int
    was: str | None = None

    def holds(self, records: Mapping[str, Record]) -> bool:
        """Tell whether it is still so, by what the index holds now."""
        held = records.get(self.was or self.source.path)
        is_free = self.was is None or self.source.path not in records
        return is_free and held is not None and held.media_id == self.media_id

    def write(self, store: Store) -> None:
        """Make the note in an index, whose lock the caller holds."""
        path = self.source.path
        if self.was is None:
            store.touch(path, self.mtime_ns)
        else:
            store.move(self.media_id, path, title_of(path), self.mtime_ns)


def known_problems(
    source: ListedFile, status: os.stat_result, old: Record | None, cut: Segmentation
) -> list[Failure] | None:
    """Return what was wrong with a file that is as it was read before; None if it may have changed.

    Args:
        source: the file.
        status: its size and date.
        old: what the index holds of it.
        cut: how it is cut.
    """
    if old is None or (old.size, old.mtime_ns) != (status.st_size, status.st_mtime_ns):
        return None
    captions, problems = captions_of(source)
    seen, others = seen_in(source)
    if old.settings != settings_digest(source, captions, cut, seen):
        return None
    again = [Failure(source.path, PART, old.error)] if old.error else []
    return [*problems, *others, *again]


def plan_file(
    source: ListedFile, old: Record | None, cut: Segmentation, moved: Moved, failures: list[Failure]
) -> IndexJob | Note:
    """Return how to read a file that is new or changed, or what to note of it.

    Args:
        source: the file.
        old: what the index holds of its path.
        cut: how it is cut.
        moved: looks for it under another path.
        failures: grows by what is wrong with its captions.

    Raises:
        SaysoError: if it cannot be read.
    """
    path, status = source.path, file_status(source.path)
    captions, problems = captions_of(source)
    seen, others = seen_in(source)
    failures += problems + others
    settings = settings_digest(source, captions, cut, seen)
    same = old and (old.size, old.mtime_ns) == (status.st_size, status.st_mtime_ns)
    content = old.content if old and same else content_digest(path)
    if old and (old.content, old.settings) == (content, settings):
        return Note(source, old.media_id, status.st_mtime_ns)
    found = None if old else moved(content, settings)
    if found is not None:
        return Note(source, found[1].media_id, status.st_mtime_ns, found[0])
    media_id, kind = digest([content, settings, path])[:20], file_kind(path)
    if kind == "sound" and not captions:
        raise SaysoError(
            f"{path} is sound without captions: nothing finds it; add --listen, or run sayso transcribe"
        )
    return IndexJob(
        path,
        kind,
        cut.window_s,
        spans_of(source, captions, by_caption=cut.by_caption or kind == "sound"),
        cut.keys_only,
        rows=source.rows,
        captions=captions,
        seen=seen,
        capture=read_capture(path, status.st_mtime),
        record=Record(media_id, status.st_size, status.st_mtime_ns, content, settings, None),
        replaces=old.media_id if old else None,
        thumbs="clip" if kind == "sound" else cut.thumbs,
    )
