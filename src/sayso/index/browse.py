"""The files of an index in the order in which they were taken: what one sees who asks for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from sayso.index.hit import Hit
from sayso.index.search import Candidate, dated_clips, load_hits

if TYPE_CHECKING:
    from sayso.index.store import Store


@dataclass(frozen=True, slots=True)
class Month:
    """A month in which files were taken.

    Args:
        month: such as 2019-06; None for files without a date.
        count: of files.
    """

    month: str | None
    count: int


@dataclass(frozen=True, slots=True)
class FilesByTime:
    """The files that pass a filter, the newest first; those without a date come last.

    Args:
        clips: the middle clip of each file.
        months: their months, in the same order.
    """

    clips: Sequence[Candidate]
    months: tuple[Month, ...]

    def hits(self, store: Store, offset: int, limit: int) -> list[Hit]:
        """Return some of the files, each as the hit of its middle clip.

        Args:
            store: the index.
            offset: how many of the newest are left out.
            limit: how many.
        """
        return load_hits(store, list(self.clips[offset : offset + limit]))


def files_by_time(store: Store, sql: str | None = None) -> FilesByTime:
    """Return the files of an index, the newest first.

    Args:
        store: the index.
        sql: what clips must pass, if anything.

    Raises:
        QueryError: if the filter cannot be used.
    """
    of_file = groupby(dated_clips(store, sql), key=lambda clip: clip[0].media_id)
    files = [clips[len(clips) // 2] for clips in (list(group) for _, group in of_file)]
    months = groupby(files, key=lambda clip: clip[1][:7] if clip[1] else None)
    counted = tuple(Month(month, sum(1 for _ in group)) for month, group in months)
    return FilesByTime([clip for clip, _ in files], counted)
