"""What is learned from: tagged pictures, letterboxed, or as features that a frozen backbone made once."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from sayso.core.errors import MediaError, SaysoError
from sayso.core.io import atomic_file, write_atomic
from sayso.data.batch import Example
from sayso.media.images import read_image
from sayso.systems.localize.letterbox import cell_mask, letterbox, pad_to_stride, resize_longest

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.data.tags import TaggedPicture
    from sayso.encoders.backbones import Backbone, Colours

Half = NDArray[np.float16]
View = tuple[int, bool]  # pixels of the longer side, whether it is mirrored
log = logging.getLogger(__name__)


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
    """Features of the grid cells of pictures, made once at several sizes, mirrored and not, kept in a file.

    Args:
        pictures: tagged.
        backbone: frozen.
        longest: of each view of a picture, its longer side, pixels.
        file: where the features are kept; what is there already is used if it is of the same
            pictures and backbone.
        progress: updated with how many pictures are done.

    Raises:
        SaysoError: if the file cannot be written, or no picture can be read.
    """

    group = 1

    def __init__(
        self,
        pictures: Sequence[TaggedPicture],
        backbone: Backbone,
        longest: Sequence[int],
        file: Path,
        progress: Progress,
    ) -> None:
        self.pictures, self.dim = pictures, backbone.dim
        views = list(product(longest, (False, True)))
        identity = _identity(pictures, backbone, views)
        table = file.with_suffix(".json")
        if not _is_of(table, identity):
            table.unlink(missing_ok=True)
            found = _write(file, lambda n: _views(pictures[n], backbone, views), len(pictures), progress)
            write_atomic(table, json.dumps({"of": identity, **found}), guarded=False)
        kept = json.loads(table.read_text(encoding="utf-8"))
        self._counts: list[list[int]] = kept["cells"]
        self._errors: dict[str, str] = kept["errors"]
        if len(self._errors) == len(pictures):
            raise SaysoError(f"no picture can be read: {next(iter(self._errors.values()))}")
        self._starts = np.cumsum([0, *(sum(counts) for counts in self._counts)])
        self._kept: Half = np.memmap(file, np.float16, "r").reshape(-1, self.dim)

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.pictures)

    def name(self, item: int) -> str:
        """Return a picture's path."""
        return str(self.pictures[item].path)

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return one view of a picture.

        Returns:
            ``features`` (N, D) float16 of its N cells; ``labels`` (C,) int8: +1 there, -1 not, 0 not known.

        Raises:
            MediaError: if the picture could not be read.
        """
        counts = self._counts[item]
        if not counts:
            raise MediaError(self._errors[str(item)])
        view = int(rng.integers(len(counts)))
        start = self._starts[item] + sum(counts[:view])
        features = self._kept[start : start + counts[view]]
        return [{"features": features, "labels": np.array(self.pictures[item].labels, np.int8)}]


def _views(picture: TaggedPicture, backbone: Backbone, views: Sequence[View]) -> list[Half]:
    """Return the features (N, D) of the cells of each view of a picture."""
    image = read_image(picture.path, size=max(longest for longest, _ in views))
    return [_features(resize_longest(image, longest), mirrored, backbone) for longest, mirrored in views]


def _features(pixels: NDArray[np.uint8], mirrored: bool, backbone: Backbone) -> Half:
    shown = np.ascontiguousarray(pixels[:, ::-1]) if mirrored else pixels
    device = backbone.mean.device
    x = torch.from_numpy(pad_to_stride(shown, backbone.stride, backbone.colour))[None].to(device)
    with torch.inference_mode():
        features = backbone(x[..., :3].permute(0, 3, 1, 2).float())[0]
        inside = cell_mask(x[..., 3], backbone.stride)[0]
        kept: Half = features[:, inside].T.half().cpu().numpy()
    return kept


def _write(
    file: Path, views_of: Callable[[int], list[Half]], pictures: int, progress: Progress
) -> dict[str, object]:
    """Write the features of all pictures; return the number of cells of each view, and what failed."""
    counts: list[list[int]] = []
    errors: dict[str, str] = {}
    with atomic_file(file, guarded=False) as out:
        for n in range(pictures):
            try:
                views = views_of(n)
            except MediaError as error:
                views, errors[str(n)] = [], str(error)
                log.warning("%s", error)
            for view in views:
                out.write(view.tobytes())
            counts.append([len(view) for view in views])
            progress.update(n + 1, pictures, "features")
    return {"cells": counts, "errors": errors}


def _is_of(table: Path, identity: str) -> bool:
    try:
        return bool(json.loads(table.read_text(encoding="utf-8"))["of"] == identity)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _identity(pictures: Sequence[TaggedPicture], backbone: Backbone, views: Sequence[View]) -> str:
    """Return a digest of what the features follow from: files by name, size and time, not labels."""
    digest = hashlib.sha256(repr((backbone.name, backbone.dim, list(views))).encode())
    for picture in pictures:
        status = picture.path.stat()
        digest.update(f"{picture.path.absolute()} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
