"""Pictures that are nearly those of a test set: encoded anew, smaller, cropped, framed, brighter, mirrored.

What is alike in grey at 64 x 64 once uniform borders are cut off. The first step looks for likely ones: the
lowest 63 coefficients of the cosine transform of a picture, as a unit vector, against those of 55 windows of
every test picture. The second step decides: the window of the test picture that fits best is searched to a
hundredth of its side, and the fine detail of both (a 32 x 32 picture less its own blur) must correlate
by ``SAME`` or more. Light, contrast and colour do not matter then; two flags or two skies, alike only
in their large parts, do not pass.

Copies of COCO's pictures at JPEG quality 10 to 50, at 64 to 256 pixels, cropped to 75 %, squashed, framed,
brighter, grey or mirrored are found; no other photograph of it is (test_near_duplicates.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 64
SAME = 0.65
_SMALL = 32
_LOW = 8
_LIKELY = 0.7  # of the first step
_TRIED = 3
_LARGE = 256
_FLAT = 6.0  # grey levels that the outermost line of a border may vary by
_RINGING = 24.0  # and most of the others, where JPEG mixes picture and border
_WIDEST = 0.4  # a border's share of a side, at most
_STEPS = (0.04, 0.02, 0.01)

Thumbnail = NDArray[np.uint8]
Floats = NDArray[np.float32]
Window = tuple[float, float, float, float]


def fingerprint(picture: Image, *, whole: bool = False) -> Thumbnail:
    """Return what is compared of a picture: (64, 64) uint8, grey, without uniform borders or ``whole``."""
    from PIL.Image import Resampling

    grey = picture.convert("L")
    if max(grey.size) > _LARGE:
        grey.thumbnail((_LARGE, _LARGE), Resampling.BOX)
    box = (0, 0, *grey.size) if whole else _inner(np.asarray(grey, np.float32))
    how = Resampling.BOX if min(box[2] - box[0], box[3] - box[1]) >= SIDE else Resampling.BILINEAR
    return np.asarray(grey.resize((SIDE, SIDE), how, box=box), np.uint8)


class TestSet:
    """The pictures that must not be in what is trained on; 18 KB of memory a fingerprint.

    Args:
        names: of the N fingerprints; a picture has one without its borders, and one with them if it has any:
            of a copy some of a sky may have been cut off with the border.
        thumbnails: (N, 64, 64) uint8.
    """

    __test__ = False  # no test of pytest's

    def __init__(self, names: Sequence[str], thumbnails: NDArray[np.uint8]) -> None:
        self.names, self.thumbnails = list(names), thumbnails
        windows = _windows()
        self._low = np.concatenate([_low(_cut(one, windows)) for one in thumbnails]).astype(np.float32)

    def find(self, thumbnails: NDArray[np.uint8]) -> list[str | None]:
        """Return for each of B pictures the test picture that it nearly is, or None.

        Args:
            thumbnails: (B, 64, 64) uint8, fingerprints.
        """
        if not len(thumbnails):
            return []
        small = _halved(thumbnails)
        low = _low(small)
        ways = [(small, low @ self._low.T), (small[:, :, ::-1], (low * _MIRROR) @ self._low.T)]
        return [self._best([(pixels[b], scores[b]) for pixels, scores in ways]) for b in range(len(small))]

    def _best(self, ways: list[tuple[Floats, Floats]]) -> str | None:
        """Return the test picture that a picture nearly is, upright or mirrored."""
        likely = []
        for pixels, scores in ways:
            top = np.argpartition(scores, -min(_TRIED, len(scores)))[-_TRIED:]
            likely += [(float(scores[k]), int(k), pixels) for k in top if scores[k] >= _LIKELY]
        windows = _windows()
        for _, k, pixels in sorted(likely, key=lambda one: -one[0])[:_TRIED]:
            picture, window = divmod(k, len(windows))
            if _alike(pixels, self.thumbnails[picture], windows[window]):
                return self.names[picture]
        return None


def fingerprints(picture: Image) -> list[Thumbnail]:
    """Return the fingerprints that a test set keeps of a picture, one or two."""
    inner, whole = fingerprint(picture), fingerprint(picture, whole=True)
    return [inner] if np.array_equal(inner, whole) else [inner, whole]


def _inner(grey: Floats) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what lies within uniform borders of (H, W)."""
    top, bottom = _border(grey), grey.shape[0] - _border(grey[::-1])
    left, right = _border(grey[top:bottom].T), grey.shape[1] - _border(grey[top:bottom].T[::-1])
    return left, top, right, bottom


def _border(lines: Floats) -> int:
    """Return how many of the first lines are of one grey."""
    part = lines[: int(len(lines) * _WIDEST)]
    if not len(part) or np.ptp(part[0]) > _FLAT:
        return 0
    uniform = np.quantile(np.abs(part - part[0].mean()), 0.9, axis=1) <= _RINGING
    return 0 if uniform.all() else int(uniform.argmin())


@cache
def _windows() -> tuple[Window, ...]:
    """Return the parts of a test picture that a crop may be near to: left, top, right, bottom, 0 to 1."""
    found: list[Window] = [(0.0, 0.0, 1.0, 1.0)]
    for share in (0.94, 0.88, 0.82, 0.76):
        starts = [k * (1 - share) / 2 for k in range(3)]
        found += [(x, y, x + share, y + share) for y in starts for x in starts]
    for share in (0.86, 0.75, 0.66):  # as when the middle is cut out square
        for start in (k * (1 - share) / 2 for k in range(3)):
            found += [(start, 0.0, start + share, 1.0), (0.0, start, 1.0, start + share)]
    return tuple(found)


def _cut(thumbnail: Thumbnail, windows: Sequence[Window]) -> Floats:
    """Return parts of (64, 64) as (W, 32, 32)."""
    from PIL import Image as PILImage
    from PIL.Image import Resampling

    whole = PILImage.fromarray(thumbnail.astype(np.float32))
    boxes = [(SIDE * x0, SIDE * y0, min(SIDE, SIDE * x1), min(SIDE, SIDE * y1)) for x0, y0, x1, y1 in windows]
    parts = [whole.resize((_SMALL, _SMALL), Resampling.BILINEAR, box=box) for box in boxes]
    return np.stack([np.asarray(part, np.float32) for part in parts])


def _halved(thumbnails: NDArray[np.uint8]) -> Floats:
    return np.asarray(thumbnails.reshape(-1, _SMALL, 2, _SMALL, 2).mean((2, 4)), np.float32)


def _low(pixels: Floats) -> Floats:
    """Return the lowest coefficients but the mean, unit norm: (B, 32, 32) to (B, 63)."""
    basis = np.cos(np.pi * np.outer(np.arange(_LOW), np.arange(_SMALL) + 0.5) / _SMALL).astype(np.float32)
    basis[0] *= np.float32(0.5**0.5)
    found = (basis @ pixels @ basis.T).reshape(len(pixels), -1)[:, 1:]
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6), np.float32)


_MIRROR = np.tile([1, -1], _LOW * _LOW // 2)[1:].astype(np.float32)  # odd columns change their sign


def _alike(pixels: Floats, thumbnail: Thumbnail, window: Window) -> bool:
    """Tell whether a picture (32, 32) is a part of a test picture (64, 64), near a window of it."""
    whole = _unit(pixels[None])
    best = float((_unit(_cut(thumbnail, [window])) * whole).sum())
    for step in _STEPS:
        while near := _near(window, step):
            fits = (_unit(_cut(thumbnail, near)) * whole).sum((1, 2))
            if fits.max() <= best:
                break
            best, window = float(fits.max()), near[int(fits.argmax())]
    return float((_detail(_cut(thumbnail, [window])) * _detail(pixels[None])).sum()) >= SAME


def _near(window: Window, step: float) -> list[Window]:
    """Return windows a step away: one side moved, or all of it."""
    moves = [tuple(sign * step * (k == side) for k in range(4)) for side in range(4) for sign in (-1, 1)]
    moves += [(sign * step * x, sign * step * (1 - x)) * 2 for x in (0, 1) for sign in (-1, 1)]
    found = []
    for move in moves:
        left, top, right, bottom = (at + by for at, by in zip(window, move, strict=True))
        if min(left, top) >= 0 and max(right, bottom) <= 1 and min(right - left, bottom - top) > 0.3:
            found.append((left, top, right, bottom))
    return found


def _unit(pixels: Floats) -> Floats:
    """Return pictures (B, 32, 32) without their mean, of unit norm."""
    centred = pixels - pixels.mean((1, 2), keepdims=True)
    norm = np.sqrt((centred**2).sum((1, 2), keepdims=True))
    return np.asarray(centred / np.maximum(norm, 1e-3), np.float32)


def _detail(pixels: Floats) -> Floats:
    """Return pictures (B, 32, 32) less their blur, of unit norm; flat ones stay near 0."""
    padded = np.pad(pixels, ((0, 0), (2, 2), (2, 2)), mode="edge")
    blurred = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(1, 2)).mean((3, 4))
    fine = pixels - blurred
    return _unit(fine) if float(np.abs(fine).max()) > 0.5 else np.zeros_like(fine)
