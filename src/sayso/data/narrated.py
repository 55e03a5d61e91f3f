"""Which captions an item of a corpus gives, and the bag of captions near each of them."""

from __future__ import annotations

import math

import numpy as np

from sayso.core.errors import SaysoError
from sayso.core.types import Span
from sayso.data.bags import BagRule, bag_of
from sayso.data.batch import Example
from sayso.data.corpus import Corpus


def widen(span: Span, min_s: float) -> Span:
    """Return a span of at least ``min_s`` seconds about the same middle, but not before 0."""
    lacking = min_s - span.duration
    if lacking <= 0:
        return span
    start = max(0.0, span.start - lacking / 2)
    return Span(start, start + min_s)


class NarratedDataset:
    """The items of a corpus, and which captions an item gives: what data sets of clips share.

    Args:
        corpus: videos with captions.
        bag_size: K, captions an example: its own and the nearest in time.
        per_video: an item is a video, of which so many captions are sampled, different ones while
            it has enough; ``group`` examples then come from one video. None: an item is a caption.
        min_s: captions shorter than this are widened, seconds.
        bag_rule: as of ``bag_of``.

    Raises:
        SaysoError: if the corpus is empty or a number makes no sense.
    """

    def __init__(
        self,
        corpus: Corpus,
        bag_size: int,
        per_video: int | None,
        min_s: float,
        bag_rule: BagRule = "nearest",
    ) -> None:
        if not len(corpus):
            gone = len(corpus.missing)
            raise SaysoError(f"the corpus holds no video with captions ({gone} listed videos are missing)")
        if bag_size < 1 or (per_video is not None and per_video < 1):
            raise SaysoError(f"bag_size and per_video must be 1 or more; got {bag_size} and {per_video}")
        self.corpus, self.bag_size, self.per_video, self.min_s = corpus, bag_size, per_video, min_s
        self.bag_rule: BagRule = bag_rule
        self.group = per_video or 1

    def __len__(self) -> int:
        """Return the number of videos, or of captions where an item is a caption."""
        return self.corpus.captions if self.per_video is None else len(self.corpus)

    def name(self, item: int) -> str:
        """Return the video of an item."""
        return self.corpus.name(self.video_of(item))

    def video_of(self, item: int) -> int:
        """Return the video of an item."""
        return self.corpus.video_of(item) if self.per_video is None else item

    def choose(self, item: int, rng: np.random.Generator) -> list[int]:
        """Return the captions of the item's examples, numbers in the corpus."""
        if self.per_video is None:
            return [item]
        own = self.corpus.captions_of(item)
        rounds = [rng.permutation(len(own)) for _ in range(math.ceil(self.per_video / len(own)))]
        return [own[int(i)] for i in np.concatenate(rounds)[: self.per_video]]

    def example(self, caption: int) -> Example:
        """Return what is known of a caption's clip before it is decoded.

        Returns:
            ``texts``, the K captions of its bag, its own first; ``distinct``, how many of them, from the
            first on, are different ones (see ``bag_of``); ``video`` and ``caption``, numbers in the corpus.
        """
        video = self.corpus.video_of(caption)
        own = self.corpus.captions_of(video)
        spans = self.corpus.spans[own.start : own.stop]
        bag, distinct = bag_of(spans, caption - own.start, self.bag_size, self.bag_rule)
        texts = tuple(self.corpus.texts[own.start + int(i)] for i in bag)
        return {"texts": texts, "distinct": distinct, "video": video, "caption": caption}
