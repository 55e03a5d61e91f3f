"""The captions nearest in time to a caption: the bag in which MIL-NCE looks for the right one.

Nearness is the distance between the middles of two captions; of two equally near
the earlier is taken. So the bag of k is the bag of k - 1 and one more, at the first
caption of a video as well as at the last. The authors' release [1] lets a window of
neighbours grow, but stops at the first caption with whatever follows it, and steps
before the first where a video is short, which gives one caption several times
(``window_captions``).

Sources
    [1] ``_find_nearest_candidates`` in video_loader.py (2be7ba7),
        https://github.com/antoine77340/MIL-NCE_HowTo100M
    [2] HowTo100M's code (50af0ff). https://github.com/antoine77340/howto100m
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

BagRule = Literal["nearest", "window"]


def nearest_captions(spans: NDArray[np.float64], index: int, k: int) -> NDArray[np.int64]:
    """Return the caption ``index`` and the k - 1 captions nearest to it in time.

    Args:
        spans: (N, 2) start and end of one video's captions, seconds. Where the end is
            infinite (a caption of the whole video) the start counts as the middle.
        index: the caption, 0 to N - 1.
        k: how many, at least 1.

    Returns:
        (min(k, N),) int64, each once: the caption itself, then the others by nearness.

    Raises:
        ValueError: if there is no such caption, or k is less than 1.
    """
    if not 0 <= index < len(spans) or k < 1:
        raise ValueError(f"caption {index} of {len(spans)} in a bag of {k}: there is no such bag")
    ends = np.where(np.isfinite(spans[:, 1]), spans[:, 1], spans[:, 0])
    middles = (spans[:, 0] + ends) / 2
    distance = np.abs(middles - middles[index])
    distance[index] = -1.0
    return np.argsort(distance, kind="stable")[:k].astype(np.int64)


def window_captions(spans: NDArray[np.float64], index: int, k: int) -> NDArray[np.int64]:
    """Return the bag of [1]: a window grows by the neighbour that leaves it shorter, the later one of a tie.

    Args:
        spans: (N, 2) start and end of one video's captions, seconds, in order.
        index: the caption, 0 to N - 1.
        k: how many, at least 1.

    Returns:
        (k,) int64, in order; a window beyond the first or the last caption repeats that one.
    """
    first = last = index
    while last - first + 1 < k:
        if first == 0:
            break
        if last == len(spans) - 1:
            first = last + 1 - k
            break
        if spans[last, 1] - spans[first - 1, 0] < spans[last + 1, 1] - spans[first, 0]:
            first -= 1
        else:
            last += 1
    return np.clip(np.arange(first, first + k), 0, len(spans) - 1).astype(np.int64)


def joined_captions(spans: NDArray[np.float64], index: int, min_s: float) -> range:
    """Return a caption and those around it that are joined with it until they last long enough.

    As ``_get_single_text`` in youtube_dataloader.py of [2] does: by the neighbour that leaves them shorter,
    the earlier one of a tie; at an end of the video by the other neighbour.

    Args:
        spans: (N, 2) start and end of one video's captions, seconds, in order.
        index: the caption, 0 to N - 1.
        min_s: seconds from the start of the first to the end of the last; all of a shorter video.
    """
    first = last = index
    while spans[last, 1] - spans[first, 0] < min_s and last - first + 1 < len(spans):
        later = last + 1 < len(spans)
        if first and later:
            later = spans[last + 1, 1] - spans[first, 0] < spans[last, 1] - spans[first - 1, 0]
        first, last = (first, last + 1) if later else (first - 1, last)
    return range(first, last + 1)


def bag_of(
    spans: NDArray[np.float64], index: int, k: int, rule: BagRule = "nearest"
) -> tuple[NDArray[np.int64], int]:
    """Return exactly k captions, and how many of them are different ones.

    A video with fewer than k captions repeats its own from the nearest on: with three of
    them and k = 5 the bag is a, b, c, a, b. A loss that must not count one twice uses
    the first three.

    Args:
        spans: (N, 2) begin and end of the video's captions, seconds, in order.
        index: of the caption that the bag is for.
        k: captions of a bag.
        rule: ``nearest``, or ``window`` as in [1], whose repeated captions then come last.

    Returns:
        (k,) int64, the caption itself first, and how many are different ones.

    Raises:
        ValueError: if there is no such caption, or k is less than 1.
    """
    if k < 1 or not 0 <= index < len(spans):
        raise ValueError(f"there is no bag of {k} captions around caption {index} of {len(spans)}")
    if rule == "window":
        window = window_captions(spans, index, k)
        once, counts = np.unique(window, return_counts=True)
        once, again = once[np.argsort(once != index, kind="stable")], np.repeat(once, counts - 1)
        return np.concatenate([once, again]), len(once)
    found = nearest_captions(spans, index, k)
    return np.resize(found, k), len(found)
