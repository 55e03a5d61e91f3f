"""The one rule of readers: a clip is searchable only if its medium's row is there and of the same version.

A medium's id is the digest of its content and of how it was cut, and a medium's row is written in one commit
after all its clips. So clips of a file that is still being read, those that a killed run left, and those of
a file's older version have an id that no row of ``media`` has, and readers pass over them.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sayso.index.sql import sql_in

if TYPE_CHECKING:
    from sayso.index.tables import Tables

LOOKS = 3


class LiveMedia:
    """Tells which clips count; may be used from several threads.

    Args:
        store: the index.
    """

    def __init__(self, store: Tables) -> None:
        self._store = store
        self._turn = threading.Lock()
        self._versions: tuple[int, int] | None = None
        self._dead: frozenset[str] = frozenset()
        self._clips = 0

    def dead(self) -> frozenset[str]:
        """Return the ids of clips' media that have no row, as far as is written now."""
        return self.seen()[1]

    def seen(self) -> tuple[tuple[int, int], frozenset[str]]:
        """Return the versions of media and clips that are written now, and what ``dead`` does."""
        with self._turn:
            versions = self._now()
            if versions != self._versions:
                for _ in range(LOOKS):
                    self._dead, whole = self._look()
                    if whole:
                        break
                    self._store.refresh()  # one table was seen older than the other
                    versions = self._now()
                self._versions = versions  # of before the look: what came meanwhile is looked at next time
            return versions, self._dead

    def clips(self) -> int:
        """Return how many clips there were at the last look, with those that do not count."""
        if self._versions is None:
            self.seen()
        return self._clips

    def is_empty(self) -> bool:
        """Tell whether there are no clips at all: asked anew only where the last look saw none."""
        if self.clips() == 0:
            self.seen()
        return self._clips == 0

    def scope(self, sql: str | None = None) -> str | None:
        """Return a filter that lets pass what counts, and of that what another filter does."""
        alive = filter_out(self.dead())
        return f"{alive} AND ({sql})" if alive and sql else alive or sql

    def _now(self) -> tuple[int, int]:
        return self._store.media.version, self._store.clips.version

    def _look(self) -> tuple[frozenset[str], bool]:
        """Return the media without a row, and whether those with one have all of their clips."""
        media = self._store.media.search().select(["media_id", "clips"]).to_arrow()
        wanted, count = pc.sum(media.column("clips")).as_py() or 0, self._store.clips.count_rows()
        self._clips = count
        if wanted == count:
            return frozenset(), True
        left = clips_without_medium(self._store, media.column("media_id"))
        return frozenset(left), count - left.total() == wanted


def filter_out(dead: frozenset[str]) -> str | None:
    """Return a filter that lets pass all clips but those of some media; None if there are none of these."""
    return f"NOT ({sql_in('media_id', sorted(dead))})" if dead else None


def is_whole(store: Tables) -> bool:
    """Tell whether an index holds as many clips as its media say: no run was interrupted in a commit."""
    counted = store.media.search().select(["clips"]).to_arrow().column("clips")
    return bool(store.clips.count_rows() == (pc.sum(counted).as_py() or 0))


def clips_without_medium(store: Tables, media: pa.ChunkedArray | None = None) -> Counter[str]:
    """Return how many clips there are of each medium that is not there.

    Args:
        store: the tables.
        media: ids of the media that are there, if they have been read.
    """
    if media is None:
        media = store.media.search().select(["media_id"]).to_arrow().column("media_id")
    held = store.clips.search().select(["media_id"]).to_arrow().column("media_id")
    left = held.filter(pc.invert(pc.is_in(held, media.combine_chunks())))
    return Counter({one["values"]: one["counts"] for one in left.value_counts().to_pylist()})
