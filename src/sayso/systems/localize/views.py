"""What is learned from: tagged pictures, letterboxed, or as features that a frozen backbone makes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from sayso.core.errors import MediaError, SaysoError
from sayso.data.batch import Example
from sayso.media.images import read_image
from sayso.systems.localize.kept_features import Half, KeptPicture, keep_features
from sayso.systems.localize.letterbox import cell_mask, letterbox, pad_to_stride, resize_longest

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.data.tags import TaggedPicture
    from sayso.encoders.backbones import Backbone, Colours

View = tuple[int, bool]  # pixels of the longer side, whether it is mirrored


class LetterboxedPictures:
    """Pictures in square frames, anywhere in them, mirrored half of the time.

    Args:
        pictures: tagged.
        side: of the frame, and the longer side of each picture, pixels.
        colour: of what is around a picture.
    """

    group = 1

    def __init__(self, pictures: Sequence[TaggedPicture], side: int, colour: Colours) -> None:
        self.pictures, self.side, self.colour = pictures, side, colour

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.pictures)

    def name(self, item: int) -> str:
        """Return a picture's path."""
        return str(self.pictures[item].path)

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return one example of a picture.

        Returns:
            ``pixels`` (S, S, 3) uint8; ``alpha`` (S, S) uint8, 255 where the picture is; ``labels``
            (C,) int8: +1 there, -1 not, 0 not known; ``scale``, a random number from 0 to below 1.

        Raises:
            MediaError: if the picture cannot be read.
        """
        picture = self.pictures[item]
        pixels = resize_longest(read_image(picture.path, size=self.side), self.side)
        if rng.random() < 0.5:
            pixels = pixels[:, ::-1]
        free = self.side - pixels.shape[0], self.side - pixels.shape[1]
        at = int(rng.integers(free[0] + 1)), int(rng.integers(free[1] + 1))
        frame = letterbox(pixels, self.side, self.side, self.colour, at)
        return [
            {
                "pixels": frame[..., :3],
                "alpha": frame[..., 3],
                "labels": np.array(picture.labels, np.int8),
                "scale": rng.random(),
            }
        ]


class CellFeatures:
    """Features of the grid cells of pictures, at several sizes, mirrored and not, kept in a file or not.

    Args:
        pictures: tagged.
        backbone: frozen.
        longest: of each view of a picture, its longer side, pixels.
        file: where the features are kept, each made once; what is there already is used if it is of the
            same pictures and backbone. None: nothing is kept, and each is made when it is asked for.
        progress: updated with how many pictures are done.
        averaged: whether a picture is one cell, the mean of its cells: all that the average score of a head
            without a hidden layer depends on, several times as fast.

    Raises:
        SaysoError: if the file cannot be written, or no picture can be read.
    """

    group = 1

    def __init__(
        self,
        pictures: Sequence[TaggedPicture],
        backbone: Backbone,
        longest: Sequence[int],
        file: Path | None,
        progress: Progress,
        *,
        averaged: bool = False,
    ) -> None:
        self.pictures, self.backbone, self.averaged = pictures, backbone, averaged
        self._means: dict[int, NDArray[np.float32]] = {}
        self.views = list(product(longest, (False, True)))
        self._pictures: list[KeptPicture] | None = None
        if file is not None:
            self._keep(file, progress)

    def _keep(self, file: Path, progress: Progress) -> None:
        identity, dim = _identity(self.pictures, self.backbone, self.views), self.backbone.dim
        kept = keep_features(file, identity, len(self.pictures), self._made, dim=dim, progress=progress)
        if all(picture.error for picture in kept):
            raise SaysoError(f"no picture can be read: {kept[0].error if kept else 'there is none'}")
        self._pictures = kept
        self._starts = np.cumsum([0, *(sum(picture.cells) for picture in kept)])
        self._kept: Half = np.memmap(file, np.float16, "r").reshape(-1, dim)

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.pictures)

    def name(self, item: int) -> str:
        """Return a picture's path."""
        return str(self.pictures[item].path)

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return one view of a picture.

        Returns:
            ``features`` (N, D) float16 of its N cells, or (1, D) float32 of their mean; ``labels`` (C,)
            int8: +1 there, -1 not, 0 not known.

        Raises:
            MediaError: if the picture could not be read.
        """
        labels = np.array(self.pictures[item].labels, np.int8)
        if self._pictures is None:
            made = self._made(item, rng)[0]
            return [{"features": _mean(made) if self.averaged else made, "labels": labels}]
        counts, error = self._pictures[item]
        if error:
            raise MediaError(error)
        view = int(rng.integers(len(counts)))
        start = self._starts[item] + sum(counts[:view])
        cells = self._kept[start : start + counts[view]]
        if not self.averaged:
            return [{"features": cells, "labels": labels}]
        if start not in self._means:
            self._means[start] = _mean(cells)
        return [{"features": self._means[start], "labels": labels}]

    def _made(self, item: int, rng: np.random.Generator | None = None) -> list[Half]:
        """Return the features (N, D) of the cells of each view of a picture, or of one that is drawn."""
        image = read_image(self.pictures[item].path, size=max(longest for longest, _ in self.views))
        views = self.views if rng is None else [self.views[int(rng.integers(len(self.views)))]]
        return [_features(resize_longest(image, longest), side, self.backbone) for longest, side in views]


def _mean(cells: Half) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = cells.mean(0, dtype=np.float32, keepdims=True)
    return mean


def _features(pixels: NDArray[np.uint8], mirrored: bool, backbone: Backbone) -> Half:
    shown = np.ascontiguousarray(pixels[:, ::-1]) if mirrored else pixels
    device = backbone.mean.device
    x = torch.from_numpy(pad_to_stride(shown, backbone.stride, backbone.colour))[None].to(device)
    with torch.inference_mode():
        features = backbone(x[..., :3].permute(0, 3, 1, 2).float())[0]
        inside = cell_mask(x[..., 3], backbone.stride)[0]
        kept: Half = features[:, inside].T.half().cpu().numpy()
    return kept


def _identity(pictures: Sequence[TaggedPicture], backbone: Backbone, views: Sequence[View]) -> str:
    """Return a digest of what the features follow from: files by name, size and time, not labels."""
    digest = hashlib.sha256(repr((backbone.name, backbone.dim, list(views))).encode())
    for picture in pictures:
        status = picture.path.stat()
        digest.update(f"{picture.path.absolute()} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
