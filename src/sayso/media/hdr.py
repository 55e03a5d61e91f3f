"""High dynamic range and wide colours to BT.709: what an encoder has learned to see, a thumbnail can show.

PQ (HDR10, Dolby Vision's base) and HLG frames are brought to linear light, of which the reference
white of 203 cd/m2 (ITU-R BT.2408) becomes white and what is brighter is clipped; BT.2020
primaries become BT.709's, also those of SDR video. FFmpeg's filters for this are not in every build, so it is
done in numpy. Dolby Vision's profile 5 has colours that nothing here can turn into these.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter

REFERENCE_WHITE = 203.0  # cd/m2
PQ, HLG = 16, 18  # transfer characteristics (ITU-T H.273)
UNSPECIFIED = 2
_BT709, _BT2020 = 1, 9  # primaries
_BT2020_MATRIX = 9  # not of constant luminance
_FULL_RANGE = 2
_DOLBY_TAGS = frozenset({"dvh1", "dvhe", "dvav", "dva1", "dav1"})
_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2
_DISPLAY_GAMMA = 2.4
_LEVELS = 1 << 14
_TO_BT709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]],
    np.float32,
)
_KR, _KB = 0.2627, 0.0593  # BT.2020's luma


def is_wide(frame: VideoFrame) -> bool:
    """Tell whether a frame's transfer function is PQ or HLG, or its colours are BT.2020's."""
    wide = int(frame.color_primaries or 0) == _BT2020 and int(frame.colorspace or 0) == _BT2020_MATRIX
    return wide or int(frame.color_trc or 0) in (PQ, HLG)


def is_only_dolby(frame: VideoFrame, tag: str) -> bool:
    """Tell whether only a decoder of Dolby Vision knows a frame's colours (profile 5).

    Other profiles say in the stream what a decoder without it may take them for.

    Args:
        frame: decoded.
        tag: of the codec in its container, such as hvc1.
    """
    sides: Any = frame.side_data
    dolby = tag in _DOLBY_TAGS or any(side.type.name.startswith("DOVI") for side in sides)
    return dolby and int(frame.color_trc or UNSPECIFIED) == UNSPECIFIED


def to_sdr(frame: VideoFrame, size: tuple[int, int], reformatter: VideoReformatter) -> NDArray[np.uint8]:
    """Return a frame of wide colours as (H, W, 3) uint8 RGB of BT.709.

    Args:
        frame: decoded; see ``is_wide``.
        size: (width, height) to scale to.
        reformatter: FFmpeg's scaler, kept from frame to frame.
    """
    signal = _rgb(frame, size, reformatter)
    codes = np.clip(np.rint(signal * (_LEVELS - 1)), 0, _LEVELS - 1).astype(np.int32)
    light = {PQ: _pq_light, HLG: _hlg_light}.get(int(frame.color_trc or 0), _sdr_light)()[codes]
    if int(frame.color_primaries or 0) != _BT709:
        light = light @ _TO_BT709.T
    np.clip(light, 0, 1, out=light)
    pixels: NDArray[np.uint8] = np.rint(255 * light ** np.float32(1 / _DISPLAY_GAMMA)).astype(np.uint8)
    return pixels


def _rgb(frame: VideoFrame, size: tuple[int, int], reformatter: VideoReformatter) -> NDArray[np.float32]:
    """Return R'G'B' (H, W, 3) float32, from 0 to 1, scaled before it is converted."""
    resized = (frame.width, frame.height) != size
    way = "BICUBIC" if resized else None
    if frame.format.is_rgb:
        rgb = reformatter.reformat(frame, *size, "gbrp16le", interpolation=way)
        return np.moveaxis(np.stack([_plane(rgb, k) for k in (2, 0, 1)]) / np.float32(65535), 0, -1)
    stored = reformatter.reformat(frame, *size, "yuv444p16le", interpolation=way)
    full = int(frame.color_range or 0) == _FULL_RANGE
    low, luma, chroma = (0.0, 65535.0, 65535.0) if full else (4096.0, 56064.0, 57344.0)
    y = (_plane(stored, 0) - np.float32(low)) / np.float32(luma)
    blue, red = ((_plane(stored, k) - np.float32(32768)) / np.float32(chroma) for k in (1, 2))
    r = y + np.float32(2 * (1 - _KR)) * red
    b = y + np.float32(2 * (1 - _KB)) * blue
    return np.stack([r, (y - _KR * r - _KB * b) / np.float32(1 - _KR - _KB), b], -1).astype(np.float32)


def _plane(frame: VideoFrame, k: int) -> NDArray[np.float32]:
    plane: Any = frame.planes[k]  # PyAV's stub does not know that it is a buffer
    rows = np.frombuffer(memoryview(plane), np.uint16).reshape(plane.height, plane.line_size // 2)
    values: NDArray[np.float32] = rows[:, : plane.width].astype(np.float32)
    return values


@cache
def _pq_light() -> NDArray[np.float32]:
    """Return the linear light of each level, in units of the reference white (SMPTE ST 2084)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = np.linspace(0, 1, _LEVELS) ** (1 / m2)
    light = 10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return (light / REFERENCE_WHITE).astype(np.float32)


@cache
def _hlg_light() -> NDArray[np.float32]:
    """Return the light of each level (ARIB STD-B67) on a display of 1000 cd/m2; white is 1.

    The display's gamma is applied to each colour by itself, as FFmpeg's zscale does.
    """
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    signal = np.linspace(0, 1, _LEVELS)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return (_HLG_PEAK / REFERENCE_WHITE * scene**_HLG_GAMMA).astype(np.float32)


@cache
def _sdr_light() -> NDArray[np.float32]:
    """Return the light of each level on a display of BT.1886 that is black at 0."""
    return (np.linspace(0, 1, _LEVELS) ** _DISPLAY_GAMMA).astype(np.float32)
