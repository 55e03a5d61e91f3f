"""The index as the server uses it: one model for many threads, and a glance at what is there."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.index import Hit, Index
from sayso.serve.heat_map import HeatMaps

if TYPE_CHECKING:
    from sayso.systems.localize import Localizer

SAMPLE = 12


@dataclass(frozen=True, slots=True)
class Glance:
    """What is there: how many, how long together (seconds), and a clip of a few files."""

    videos: int
    pictures: int
    seconds: float
    sample: tuple[Hit, ...]


class Holdings:
    """An index shared by the threads that answer requests.

    Args:
        index: what is searched. Its model embeds one query at a time: tokenizers
            and models need not be safe to use from several threads.
        localizer: says where the classes are that it was trained on; None: the index's model alone does.
    """

    def __init__(self, index: Index, localizer: Localizer | None = None) -> None:
        self.index = index
        self.model_turn = threading.Lock()
        self.heat_maps = HeatMaps(lambda: self.index.encoder, self.model_turn, localizer)
        self._glance: tuple[dict[str, Any], Glance] | None = None

    def warm_up(self) -> None:
        """Load the model before the first query; if that fails, the first query says why."""
        with contextlib.suppress(SaysoError), self.model_turn:
            self.index.encoder.encode_text(["warm up"])

    def search(self, query: str, **options: Any) -> list[Hit]:
        """Search as ``Index.search`` does; terms of the query never name files of this machine."""
        with self.model_turn:
            return self.index.search(query, files=False, **options)

    def glance(self) -> tuple[dict[str, Any], Glance]:
        """Return ``Index.info`` and a glance, which is taken anew when the index has changed."""
        info = self.index.info()
        held = self._glance
        if held is None or held[0] != info:
            held = self._glance = (info, self._look())
        return held

    def _look(self) -> Glance:
        files = self.index.store.media.search().select(["media_id", "kind", "duration"]).to_arrow()
        ids, kinds = files.column("media_id").to_pylist(), files.column("kind").to_pylist()
        videos = [id_ for id_, kind in zip(ids, kinds, strict=True) if kind == "video"]
        pictures = [id_ for id_, kind in zip(ids, kinds, strict=True) if kind == "picture"]
        clips = [self.index.moments(id_) for id_ in chosen(videos, pictures, SAMPLE)]
        return Glance(
            videos=len(videos),
            pictures=len(pictures),
            seconds=float(sum(length or 0.0 for length in files.column("duration").to_pylist())),
            sample=tuple(hits[len(hits) // 2] for hits in clips if hits),
        )


def chosen(some: list[str], others: list[str], count: int) -> list[str]:
    """Return up to ``count`` items from all over two lists, half of each where there are enough, in turns."""
    one = spread(some, max(count - count // 2, count - len(others)))
    other = spread(others, count - len(one))
    turns = zip_longest(one, other)
    return [item for turn in turns for item in turn if item is not None]


def spread(items: list[str], count: int) -> list[str]:
    """Return at most ``count`` items at even distances."""
    count = min(count, len(items))
    return [items[(2 * k + 1) * len(items) // (2 * count)] for k in range(count)]
