"""The index as the server uses it: one model for many threads, and a summary of what it holds."""

from __future__ import annotations

import contextlib
import io
import threading
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.index import Hit, Index
from sayso.index.browse import DatedClip, files_by_time
from sayso.index.filter_language import both, filter_sql
from sayso.index.kept import Kept
from sayso.index.sql import sql_string
from sayso.index.timed import read_rows
from sayso.serve.answering import Answering
from sayso.serve.heat_map import HeatMaps
from sayso.serve.people import Named, people_in

if TYPE_CHECKING:
    from sayso.systems.localize import Localizer

SAMPLED_FILES = 12
KEPT_TIMELINES = 4


@dataclass(frozen=True, slots=True)
class Summary:
    """What an index holds: how many files, how long together, a clip of a few of them, who is on screen."""

    videos: int
    pictures: int
    duration_s: float
    sample: tuple[Hit, ...]
    people: tuple[Named, ...]


class Holdings:
    """An index shared by the threads that answer requests.

    Args:
        index: what is searched. Its model embeds one query at a time.
        localizer: says where the classes are that it was trained on; None: the index's model alone does.
        answering: answers questions; by default with a model that is at hand.
        model_turn: held while the model works; given where other indexes share it.
    """

    def __init__(
        self,
        index: Index,
        localizer: Localizer | None = None,
        answering: Answering | None = None,
        model_turn: threading.RLock | None = None,
    ) -> None:
        self.index = index
        self.answering = answering or Answering(device=index.device)
        self.model_turn = index.model_turn = model_turn or index.model_turn
        self.heat_maps = HeatMaps(lambda: self.index.encoder, self.model_turn, localizer)
        self._summary: tuple[dict[str, Any], Summary] | None = None
        self._summary_turn = threading.Lock()
        self._browsed: Kept[list[DatedClip]] = Kept(KEPT_TIMELINES)

    def warm_up(self) -> None:
        """Load the model before the first query; if that fails, the first query says why."""
        with contextlib.suppress(SaysoError), self.model_turn:
            self.index.encoder.encode_text(["warm up"])

    def search(self, query: str, **options: Any) -> list[Hit]:
        """Search as ``Index.search`` does; terms of the query never name files of this machine."""
        return self.index.search(query, files=False, **options)

    def similar(self, clip_id: str, query: str = "", **options: Any) -> list[Hit]:  # noqa: ARG002
        """Search as ``Index.similar`` does, without words."""
        return self.index.similar(clip_id, **options)

    def hints(self, query: str, text_weight: float | None) -> list[str]:
        """Return what ``Index.hints`` says of a query."""
        return self.index.hints(query, text_weight=text_weight)

    def search_like(self, clip_id: str, query: str, **options: Any) -> list[Hit]:
        """Search by a clip, as its thumbnail shows it, and by words; the clip itself is left out.

        Args:
            clip_id: of the clip.
            query: the words.
            options: of ``Index.search``.

        Raises:
            KeyError: if there is no such clip.
        """
        from PIL import Image

        with Image.open(io.BytesIO(self.index.thumbnail(clip_id))) as thumb:
            like = thumb.convert("RGB")
        others = both(f"id != {sql_string(clip_id)}", options.pop("filter", None))
        return self.search(query, like=like, filter=others, **options)

    def files_by_time(self, filter_: str | None) -> list[DatedClip]:
        """Return the files that pass a filter, the newest first; kept while the index stays as it is.

        Raises:
            QueryError: if the filter cannot be used.
        """
        store, sql = self.index.store, filter_sql(filter_)
        key = (store.clips.version, store.media.version, sql)
        return self._browsed.get(key, lambda: files_by_time(store, sql))

    def summary(self) -> tuple[dict[str, Any], Summary]:
        """Return ``Index.info`` and a summary, which is made anew when the index has changed."""
        with self._summary_turn:  # of several that ask at once, one makes it
            info = self.index.info()
            held = self._summary
            if held is None or held[0] != info:
                held = self._summary = (info, self._summarize())
            return held

    def _summarize(self) -> Summary:
        files = read_rows(self.index.store.media.search().select(["media_id", "kind", "duration_s"]))
        ids, kinds = files.column("media_id").to_pylist(), files.column("kind").to_pylist()
        videos = [id_ for id_, kind in zip(ids, kinds, strict=True) if kind == "video"]
        pictures = [id_ for id_, kind in zip(ids, kinds, strict=True) if kind == "picture"]
        clips = [self.index.moments(id_) for id_ in choose_both(videos, pictures, SAMPLED_FILES)]
        return Summary(
            videos=len(videos),
            pictures=len(pictures),
            duration_s=float(sum(length or 0.0 for length in files.column("duration_s").to_pylist())),
            sample=tuple(hits[len(hits) // 2] for hits in clips if hits),
            people=people_in(self.index),
        )


def choose_both(some: list[str], others: list[str], count: int) -> list[str]:
    """Return items from all over two lists, half of each where there are enough, alternating.

    Args:
        some: first.
        others: second.
        count: at most so many.
    """
    one = spread(some, max(count - count // 2, count - len(others)))
    other = spread(others, count - len(one))
    turns = zip_longest(one, other)
    return [item for turn in turns for item in turn if item is not None]


def spread(items: list[str], count: int) -> list[str]:
    """Return at most ``count`` items at even distances."""
    count = min(count, len(items))
    return [items[(2 * k + 1) * len(items) // (2 * count)] for k in range(count)]
