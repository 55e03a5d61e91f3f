"""Which captions an item of a corpus gives, what else is said about then, and when it is shown."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.core.types import Span
from sayso.data.bags import bag_of
from sayso.data.batch import Example
from sayso.data.corpus import Corpus


def widen(span: Span, min_s: float) -> Span:
    """Return a span of at least ``min_s`` seconds about the same middle, but not before 0."""
    lacking = min_s - span.duration
    if lacking <= 0:
        return span
    start = max(0.0, span.start - lacking / 2)
    return Span(start, start + min_s)


class Captioned:
    """The items of a corpus, and which captions an item gives.

    Args:
        corpus: videos with captions.
        candidates: K, captions an example: its own and the nearest in time.
        per_video: an item is a video, of which so many captions are drawn, different ones while
            it has enough; ``group`` examples then come from one video. None: an item is a caption.
        min_s: captions shorter than this are widened, seconds.

    Raises:
        SaysoError: if the corpus is empty or a number makes no sense.
    """

    def __init__(self, corpus: Corpus, candidates: int, per_video: int | None, min_s: float) -> None:
        if not len(corpus):
            gone = len(corpus.missing)
            raise SaysoError(f"the corpus holds no video with captions ({gone} listed videos are missing)")
        if candidates < 1 or (per_video is not None and per_video < 1):
            raise SaysoError(f"candidates and per_video must be 1 or more; got {candidates} and {per_video}")
        self.corpus, self.candidates, self.per_video, self.min_s = corpus, candidates, per_video, min_s
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
        here = self.corpus.captions_of(item)
        rounds = [rng.permutation(len(here)) for _ in range(math.ceil(self.per_video / len(here)))]
        return [here[int(i)] for i in np.concatenate(rounds)[: self.per_video]]

    def example(self, caption: int, visual: NDArray[np.generic]) -> Example:
        """Return a caption's example: what is seen, and its bag of captions."""
        video = self.corpus.video_of(caption)
        here = self.corpus.captions_of(video)
        spans = self.corpus.spans[here.start : here.stop]
        bag, distinct = bag_of(spans, caption - here.start, self.candidates)
        texts = tuple(self.corpus.texts[here.start + int(i)] for i in bag)
        return Example(visual, texts, distinct, video, caption)
