"""Colour profiles: a picture's colours as they were meant, in sRGB."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageCms import ImageCmsTransform

_ROUNDING = 3  # of 255
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
    import numpy as np
    from PIL import Image, ImageCms

    levels = np.linspace(0, 255, 18).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 18, 3)
    changed = ImageCms.applyTransform(Image.fromarray(grid), transform)
    return changed is not None and bool(np.abs(np.asarray(changed).astype(int) - grid).max() <= _ROUNDING)
