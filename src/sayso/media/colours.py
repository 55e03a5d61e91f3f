"""Colours: a picture of any mode and depth, and with any profile, as it was meant, in sRGB."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageCms import ImageCmsTransform

_ROUNDING = 3  # of 255
_BAND_PIXELS = 1 << 20  # that are converted at once
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def to_srgb(image: Image, profile: bytes) -> Image:
    """Return a picture in sRGB; a profile that is damaged, or for other colours, says nothing.

    Args:
        image: without transparency.
        profile: the ICC profile embedded in its file.
    """
    from PIL import ImageCms

    if image.mode not in ("L", "CMYK", "RGB"):
        image = image.convert("RGB")
    try:
        transform = _transform(profile, image.mode)
        converted = ImageCms.applyTransform(image, transform) if transform else None
    except (ImageCms.PyCMSError, OSError, ValueError):
        converted = None
    return image.convert("RGB") if converted is None else converted


@lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str) -> ImageCmsTransform | None:
    """Return how colours become sRGB; None if the profile is none for this mode."""
    from PIL import ImageCms

    source = ImageCms.getOpenProfile(io.BytesIO(profile))
    if _MODES.get(source.profile.xcolor_space.strip()) != mode:
        return None
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    target = ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(source, target, mode, "RGB", renderingIntent=intent, flags=flags)
    return None if mode == "RGB" and _changes_nothing(transform) else transform


def _changes_nothing(transform: ImageCmsTransform) -> bool:
    """Tell whether the profile is one of sRGB's many, which differ from one another by rounding."""
    from PIL import Image, ImageCms

    levels = np.linspace(0, 255, 18).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 18, 3)
    changed = ImageCms.applyTransform(Image.fromarray(grid), transform)
    return changed is not None and bool(np.abs(np.asarray(changed).astype(int) - grid).max() <= _ROUNDING)


def to_rgb(image: Image) -> Image:
    """Return a picture in sRGB: deep pixels scaled, transparent ones on white, its colour profile applied.

    It is converted a band after the other: a large picture costs its own memory and that of the result.
    """
    from PIL import Image as PILImage

    rows = max(1, _BAND_PIXELS // image.width)
    levels = _levels(image, rows) if image.mode in ("I", "F") or image.mode.startswith("I;") else None
    if rows >= image.height:
        return _band_to_rgb(image, levels)
    whole = PILImage.new("RGB", image.size)
    for top, band in _bands(image, rows):
        whole.paste(_band_to_rgb(band, levels), (0, top))
    return whole


def _bands(image: Image, rows: int) -> Iterator[tuple[int, Image]]:
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _band_to_rgb(image: Image, levels: tuple[float, float] | None) -> Image:
    """Return a part of a picture, or all of it, in sRGB.

    Args:
        image: it.
        levels: of deep pixels, those that become black and white.
    """
    from PIL import Image as PILImage

    if levels is not None:
        return PILImage.fromarray(_eight_bits(np.asarray(image), *levels)).convert("RGB")
    if image.mode == "LAB":
        return _from_lab(image)
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        if profile:
            alpha = rgba.getchannel("A")
            rgba = to_srgb(rgba.convert("RGB"), profile).convert("RGBA")
            rgba.putalpha(alpha)
        white = PILImage.new("RGBA", rgba.size, "white")
        return PILImage.alpha_composite(white, rgba).convert("RGB")
    return to_srgb(image, profile) if profile else image.convert("RGB")


def _levels(image: Image, rows: int) -> tuple[float, float]:
    """Return what is black and what is white in deep pixels: of 16 bits, of 0..1, or the range they span."""
    whole, low, high = True, np.inf, -np.inf
    for _, band in _bands(image, rows):
        values = np.asarray(band)
        numbers = _finite(values)
        whole &= bool(np.issubdtype(values.dtype, np.integer))
        low, high = min(low, float(numbers.min())), max(high, float(numbers.max()))
    if whole and low >= 0 and high <= 65535:
        return 0.0, 65535.0
    for top in (1.0, 255.0):
        if low >= 0 and high <= top:
            return 0.0, top
    return low, high


def _finite(values: NDArray[np.generic]) -> NDArray[np.float32]:
    return np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)


def _eight_bits(values: NDArray[np.generic], low: float, high: float) -> NDArray[np.uint8]:
    """Scale deep pixels (H, W) to 0..255 from what is black and what is white."""
    numbers = _finite(values)
    scaled: NDArray[np.uint8] = np.rint((numbers - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
    return scaled


def _from_lab(image: Image) -> Image:
    from PIL import ImageCms

    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, rgb, outputMode="RGB")
    if converted is None:
        raise ValueError("its colours cannot be converted")
    return converted
