"""From decoded frames to RGB arrays of the wanted size, the right way up.

One ``VideoReformatter`` is kept for all frames of a video, and only frames that are taken
are converted: converting all of them takes as long as decoding them (benchmarks/decode.py).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError, SaysoError
from sayso.media.hdr import is_only_dolby, is_wide, to_sdr

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from sayso.media.container import VideoSource

Crop = Literal["none", "center", "squash"]

_MAX_SIZE = 8192
_MAX_ASPECT = 64
_FLAT = Fraction(1)


def check_shape(size: int | None, crop: str) -> None:
    """Refuse a size and a crop that make no sense together.

    Raises:
        SaysoError: saying what is allowed.
    """
    if crop not in ("none", "center", "squash"):
        raise SaysoError(f"crop must be 'none', 'center' or 'squash'; got {crop!r}")
    if size is None and crop != "none":
        raise SaysoError(f"crop={crop!r} needs a size in pixels")
    if size is not None and not 1 <= size <= _MAX_SIZE:
        raise SaysoError(f"size must be between 1 and {_MAX_SIZE} pixels; got {size}")


def scaled_size(
    width: int, height: int, size: int | None, crop: Crop, pixel_aspect: Fraction
) -> tuple[int, int]:
    """Return the (width, height) to which a frame is scaled before it is cropped.

    Args:
        width: of the stored frame, pixels.
        height: of the stored frame, pixels.
        size: the short side afterwards; None keeps the stored pixels.
        crop: ``squash`` gives ``size x size``, the others keep the aspect.
        pixel_aspect: width of a pixel over its height: the aspect kept is the displayed one.
    """
    if size is None:
        return width, height
    if crop == "squash":
        return size, size
    aspect = Fraction(width, height) * pixel_aspect
    if aspect >= 1:
        return max(size, round(size * aspect)), size
    return size, max(size, round(size / aspect))


class Shaper:
    """Converts frames of one video; all come out in the shape of the first.

    Args:
        source: the video.
        size: pixels of the short side, or None for full resolution.
        crop: see ``read_clip``.
    """

    def __init__(self, source: VideoSource, size: int | None, crop: Crop) -> None:
        from av.video.reformatter import VideoReformatter

        self.path, self.size, self.crop = source.path, size, crop
        self._reformatter = VideoReformatter()
        self._pixel_aspect = _pixel_aspect(source)
        self._tag = source.stream.codec_context.codec_tag
        self._target: tuple[int, int] | None = None
        self._turn: tuple[bool, bool, bool] = (False, False, False)
        self._last: tuple[VideoFrame, NDArray[np.uint8]] | None = None

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Return (H, W, 3) uint8 RGB; the same array again if the frame is the last one's again."""
        if self._last is None or self._last[0] is not frame:
            self._last = (frame, self._convert(frame))
        return self._last[1]

    def _convert(self, frame: VideoFrame) -> NDArray[np.uint8]:
        import av  # waits where another thread imports it: "from av.error" does not

        if self._target is None:  # of the first alone: a frame and its side data hold each other in memory
            if is_only_dolby(frame, self._tag):
                raise MediaError(
                    f"{self.path}: its colours are those of Dolby Vision's profile 5, which cannot be read "
                    "here; convert it to HDR10 or SDR"
                )
            self._target = self._choose_target(frame)
            self._turn = orientation(frame)
        width, height = self._target
        resized = (frame.width, frame.height) != self._target
        try:
            if is_wide(frame):
                pixels = to_sdr(frame, (width, height), self._reformatter)
            else:
                rgb = self._reformatter.reformat(
                    frame, width, height, "rgb24", interpolation="BICUBIC" if resized else None
                )
                pixels = cast("NDArray[np.uint8]", rgb.to_ndarray())
        except (av.FFmpegError, ValueError, MemoryError) as error:
            raise MediaError(
                f"{self.path}: frames of {frame.width} x {frame.height} pixels in the format "
                f"{frame.format.name} cannot be converted to {width} x {height} RGB ({error})"
            ) from error
        return np.ascontiguousarray(turned(self._cropped(pixels), self._turn))

    def _choose_target(self, frame: VideoFrame) -> tuple[int, int]:
        if self.size is not None and not 1 / _MAX_ASPECT <= frame.width / frame.height <= _MAX_ASPECT:
            raise MediaError(
                f"{self.path}: a frame of {frame.width} x {frame.height} pixels is too narrow to be scaled"
            )
        return scaled_size(frame.width, frame.height, self.size, self.crop, self._pixel_aspect)

    def _cropped(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.crop != "center" or self.size is None:
            return pixels
        top, left = (pixels.shape[0] - self.size) // 2, (pixels.shape[1] - self.size) // 2
        return pixels[top : top + self.size, left : left + self.size]


def orientation(frame: VideoFrame) -> tuple[bool, bool, bool]:
    """Return how a frame is brought upright: (transpose, then mirror left-right, mirror top-bottom).

    The display matrix maps (x, y) to (a x + c y, b x + d y); phones write one of eight.
    """
    sides: Any = frame.side_data  # PyAV's stub takes it for a mapping of names
    found = [side for side in sides if side.type.name == "DISPLAYMATRIX"]
    if not found:
        return False, False, False
    a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(found[0]), np.int32, 5))
    if abs(b) > abs(a):
        return True, c < 0, b < 0
    return False, a < 0, d < 0


def turned(pixels: NDArray[np.uint8], turn: tuple[bool, bool, bool]) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) brought upright, as a view."""
    transpose, mirror, flip = turn
    if transpose:
        pixels = pixels.transpose(1, 0, 2)
    if mirror:
        pixels = pixels[:, ::-1]
    return pixels[::-1] if flip else pixels


def _pixel_aspect(source: VideoSource) -> Fraction:
    """Return the width of a pixel over its height; 1 if the file says nothing sensible."""
    aspect = source.stream.sample_aspect_ratio
    return aspect if aspect and Fraction(1, 4) <= aspect <= 4 else _FLAT
