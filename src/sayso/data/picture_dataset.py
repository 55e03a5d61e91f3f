"""Captioned pictures as examples: a random part of each, and one of its captions.

Source
    ``RandomResizedCrop(size, scale=(0.9, 1.0))``, bicubic, no flip, as in open_clip's ``image_transform``
    (https://github.com/mlfoundations/open_clip): a flip would make "left" a lie.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError
from sayso.data.batch import Example
from sayso.data.picture_pairs import PicturePairs

CropBox = tuple[float, float, float, float]
_ATTEMPTS = 10


class PicturePairDataset:
    """One example an item: ``image`` (size, size, 3) uint8 RGB and ``text``, one of the picture's captions.

    Args:
        pairs: the pictures.
        size: side of the square, pixels.
        crop_scale: share of the picture's area that is shown, from and to.
        crop_ratio: width by height of what is shown, from and to, before it is made square.
        flip: mirror half of them.

    Raises:
        SaysoError: if a number makes no sense.
    """

    group = 1

    def __init__(
        self,
        pairs: PicturePairs,
        size: int,
        crop_scale: tuple[float, float] = (0.9, 1.0),
        crop_ratio: tuple[float, float] = (3 / 4, 4 / 3),
        *,
        flip: bool = False,
    ) -> None:
        if size < 1 or not 0 < crop_scale[0] <= crop_scale[1] <= 1 or not 0 < crop_ratio[0] <= crop_ratio[1]:
            raise SaysoError(
                "size must be at least 1, crop_scale within 0 to 1 and crop_ratio above 0, each from low to "
                f"high; got size {size}, crop_scale {crop_scale}, crop_ratio {crop_ratio}"
            )
        self.pairs, self.size, self.flip = pairs, size, flip
        self.crop_scale, self.crop_ratio = crop_scale, crop_ratio

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.pairs)

    def name(self, item: int) -> str:
        """Return what to call a picture in messages."""
        return self.pairs.name(item)

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return the item's example; all that is random comes from ``rng``.

        Raises:
            SaysoError: if the picture cannot be read.
        """
        captions = self.pairs.captions(item)
        text = captions[int(rng.integers(len(captions)))]
        pixels = self._pixels(item, rng)
        if self.flip and rng.random() < 0.5:
            pixels = np.ascontiguousarray(pixels[:, ::-1])
        return [{"image": pixels, "text": text}]

    def _pixels(self, item: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        from PIL.Image import Resampling

        shares: list[CropBox] = []

        def needed(width: int, height: int) -> int:
            """Choose what is shown; return the short side that makes it ``size`` pixels at least."""
            box = random_crop(width, height, rng, self.crop_scale, self.crop_ratio)
            shares.append((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
            shown = min(box[2] - box[0], box[3] - box[1])
            return max(1, math.ceil(self.size * min(width, height) / shown))

        picture = self.pairs.read(item, needed)
        if not shares:  # only of some formats a smaller one can be had, and is asked for
            needed(*picture.size)
        (left, top, right, bottom), (width, height) = shares[0], picture.size
        box = (left * width, top * height, min(right, 1.0) * width, min(bottom, 1.0) * height)
        square = picture.resize((self.size, self.size), Resampling.BICUBIC, box=box)
        return np.asarray(square, np.uint8)


def random_crop(
    width: int,
    height: int,
    rng: np.random.Generator,
    scale: tuple[float, float],
    ratio: tuple[float, float],
) -> CropBox:
    """Return left, top, right and bottom of a random part of a picture, pixels.

    Its area is a share of the picture's, uniform in ``scale``; the logarithm of width by height is uniform
    in ``ratio``. If ten draws do not fit, it is the largest part in the middle whose ratio is allowed.

    Args:
        width: of the picture, pixels.
        height: of the picture, pixels.
        rng: random numbers.
        scale: share of the area, from and to.
        ratio: width by height, from and to.
    """
    for _ in range(_ATTEMPTS):
        area = width * height * rng.uniform(*scale)
        aspect = math.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1])))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            left, top = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
            return left, top, left + w, top + h
    w, h = min(width, max(1, round(height * ratio[1]))), min(height, max(1, round(width / ratio[0])))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h
