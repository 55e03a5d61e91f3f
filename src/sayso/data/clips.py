"""Clips cut out of narrated videos, with the bag of captions nearest in time.

An item is one video, of which some captions are sampled, or one caption. Around a caption
(widened to ``min_s`` if it is shorter, as in MIL-NCE) a clip of T / fps seconds begins
at random, so that it lies within if it fits. It is shown through a square window: at random
along the longer side, mirrored half of the time; or the middle, for evaluation.

Source
    Miech, Alayrac et al., CVPR 2020, section 4.1; ``HT100M_DataLoader`` in video_loader.py
    (2be7ba7), https://github.com/antoine77340/MIL-NCE_HowTo100M, which begins clips at
    whole seconds only and pads with black; ours begin anywhere and repeat the last frame.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError, SaysoError
from sayso.core.types import Span
from sayso.data.bags import BagRule
from sayso.data.batch import Example
from sayso.data.corpus import Corpus
from sayso.data.narrated import NarratedDataset, widen

Pixels = NDArray[np.uint8]

_SLACK_S = 1.0  # the last frame may stay on screen for so long


class Clips(NarratedDataset):
    """Training clips (T, size, size, 3) of a corpus of videos.

    Args:
        corpus: videos with captions.
        frames: T.
        fps: frames a second of the video.
        size: side of the square that is shown, pixels.
        bag_size: K, captions an example: its own and the nearest in time.
        per_video: captions sampled of a video; None makes every caption an item. See ``NarratedDataset``.
        min_s: captions shorter than this are widened, seconds.
        crop: ``random`` places the square anywhere along the longer side, ``center`` in the middle.
        short_side: pixels to which the shorter side is scaled before; ``size`` unless given.
        flip: mirror half of the clips.
        bag_rule: which captions are a bag's, as of ``bag_of``.
        jitter: begin at random within the caption; otherwise the clip's middle is the caption's.

    Raises:
        SaysoError: if the corpus is empty or a number makes no sense.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        frames: int = 32,
        fps: float = 10.0,
        size: int = 224,
        bag_size: int = 5,
        per_video: int | None = 1,
        min_s: float = 5.0,
        crop: Literal["random", "center"] = "random",
        short_side: int | None = None,
        flip: bool = True,
        jitter: bool = True,
        bag_rule: BagRule = "nearest",
    ) -> None:
        super().__init__(corpus, bag_size, per_video, min_s, bag_rule)
        self.frames, self.fps, self.size = frames, fps, size
        self.crop, self.flip, self.jitter = crop, flip, jitter
        self.short_side = short_side or size
        if frames < 1 or not fps > 0 or not 1 <= size <= self.short_side:
            raise SaysoError(
                "a clip needs frames and fps above 0 and a size of at least 1 and at most short_side; "
                f"got {frames} frames, {fps} fps, size {size}, short_side {self.short_side}"
            )

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return the item's examples: ``frames`` (T, size, size, 3) uint8 and the entries of ``example``.

        Raises:
            MediaError: if the video cannot be read, or ends before a caption begins.
        """
        captions = self.choose(item, rng)
        with self.corpus.file(self.video_of(item)) as path:
            return [
                {"frames": self._cut(path, caption, rng), **self.example(caption)} for caption in captions
            ]

    def _cut(self, path: str, caption: int, rng: np.random.Generator) -> Pixels:
        from sayso.media import read_clip

        span = self.corpus.caption(caption).span
        start_s = self._start(self._bounded(path, span), rng)
        end_s = start_s + self.frames / self.fps
        clip = read_clip(path, start_s, end_s, frames=self.frames, fps=self.fps, size=self.short_side)
        if clip.padded == self.frames and span.start > clip.times[-1] + _SLACK_S:
            raise MediaError(
                f"{path} ends at {clip.times[-1]:.1f} s, before its caption at {span.start:.1f} s; "
                "check that the captions are this video's"
            )
        return self._window(clip.frames, rng)

    def _bounded(self, path: str, span: Span) -> Span:
        """Return the span to cut from: until the end of the video is so many seconds, short is widened."""
        if math.isinf(span.end):
            return Span(span.start, max(span.start, _duration(path)))
        return widen(span, self.min_s)

    def _start(self, span: Span, rng: np.random.Generator) -> float:
        """Return when the clip begins, seconds; one longer than its span begins with it."""
        room_s = span.duration - self.frames / self.fps
        if self.jitter:
            return span.start + max(0.0, room_s) * rng.random()
        return max(0.0, span.start + room_s / 2)

    def _window(self, frames: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the square that is shown, (T, size, size, 3)."""
        room = np.array(frames.shape[1:3]) - self.size
        top, left = rng.integers(room + 1) if self.crop == "random" else room // 2
        window = frames[:, top : top + self.size, left : left + self.size]
        mirrored = self.flip and rng.random() < 0.5
        return np.ascontiguousarray(window[:, :, ::-1] if mirrored else window)


def _duration(path: str) -> float:
    from sayso.media import probe

    return probe(path).duration or 0.0
