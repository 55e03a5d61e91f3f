"""The captions nearest in time to a caption: the bag in which MIL-NCE looks for the right one.

Nearness is the distance between the middles of two captions; of two equally near
the earlier is taken. So the bag of k is the bag of k - 1 and one more, at the first
caption of a video as well as at the last. The authors' release [1] lets a window of
neighbours grow, but stops at the first caption with whatever follows it, and steps
before the first where a video is short, which gives one caption several times.

Source
    [1] ``_find_nearest_candidates`` in video_loader.py (2be7ba7),
        https://github.com/antoine77340/MIL-NCE_HowTo100M
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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


def bag_of(spans: NDArray[np.float64], index: int, k: int) -> tuple[NDArray[np.int64], int]:
    """Return exactly k captions, and how many of them are different ones.

    A video with fewer than k captions repeats its own from the nearest on: with three of
    them and k = 5 the bag is a, b, c, a, b. A loss that must not count one twice uses
    the first three.

    Args:
        spans: (N, 2) begin and end of the video's captions, seconds, in order.
        index: of the caption that the bag is for.
        k: captions of a bag.

    Returns:
        (k,) int64, and ``min(k, N)``.

    Raises:
        ValueError: if there is no such caption, or k is less than 1.
    """
    found = nearest_captions(spans, index, k)
    return np.resize(found, k), len(found)
