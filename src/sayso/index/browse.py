"""The files of an index in the order in which they were taken: what one sees who asks for nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from sayso.index.search import Candidate, dated_clips

if TYPE_CHECKING:
    from sayso.index.store import Store

DatedClip = tuple[Candidate, str | None]
"""A clip, and when its file was taken."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month in which files were taken.

    Args:
        month: such as 2019-06; None for files without a date.
        count: of files.
    """

    month: str | None
    count: int


def months_of(taken: Iterable[str | None]) -> tuple[Month, ...]:
    """Return the months of files in the order of time, each once, with how many files there are."""
    months = groupby(taken, key=lambda date: date[:7] if date else None)
    return tuple(Month(month, sum(1 for _ in group)) for month, group in months)


def files_by_time(store: Store, sql: str | None = None) -> list[DatedClip]:
    """Return the middle clip of each file, and when it was taken, the newest first; without a date, last.

    Args:
        store: the index.
        sql: what clips must pass, if anything.

    Raises:
        QueryError: if the filter cannot be used.
    """
    of_file = groupby(dated_clips(store, sql), key=lambda clip: clip[0].media_id)
    return [clips[len(clips) // 2] for clips in (list(group) for _, group in of_file)]
