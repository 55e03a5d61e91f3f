"""What is learned from: tagged pictures as canvases, or as features that a frozen backbone made once.

Labels stay with the method; an example says the number of its picture alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from sayso.core.errors import MediaError, SaysoError
from sayso.data.batch import Example
from sayso.media.images import read_image
from sayso.systems.localize.canvas import fitted, inside, laid, scaled

if TYPE_CHECKING:
    from sayso.core.progress import Progress
    from sayso.data.tags import TaggedPicture
    from sayso.encoders.backbones import Backbone, Colours

Half = NDArray[np.float16]


class Canvases:
    """Pictures on square canvases, anywhere on them, mirrored half of the time.

    Args:
        pictures: tagged.
        side: of the canvas, and the longer side of each picture, pixels.
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

    def draw(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return one canvas, (side, side, 4) uint8.

        Raises:
            MediaError: if the picture cannot be read.
        """
        pixels = scaled(read_image(self.pictures[item].path, size=self.side), self.side)
        if rng.random() < 0.5:
            pixels = pixels[:, ::-1]
        free = self.side - pixels.shape[0], self.side - pixels.shape[1]
        at = int(rng.integers(free[0] + 1)), int(rng.integers(free[1] + 1))
        return [_example(laid(pixels, self.side, self.side, self.colour, at), item)]


class Places:
    """Features of all places of pictures, made once for several sizes, mirrored and not, and kept in a file.

    Args:
        pictures: tagged.
        backbone: frozen.
        longest: of each view of a picture, its longer side, pixels.
        file: where the features are kept; what is there already is used if it is of the same
            pictures and backbone.
        progress: told how many pictures are done.

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
        self._views = list(product(longest, (False, True)))
        of = _identity(pictures, backbone, self._views)
        table = file.with_suffix(".json")
        if not _is_of(table, of):
            _write(
                file,
                table,
                of,
                lambda n: _places(pictures[n], backbone, self._views),
                len(pictures),
                progress,
            )
        kept = json.loads(table.read_text(encoding="utf-8"))
        self._counts: list[list[int]] = kept["places"]
        self._errors: dict[str, str] = kept["errors"]
        if len(self._errors) == len(pictures):
            raise SaysoError(f"no picture can be read: {next(iter(self._errors.values()))}")
        self._starts = np.cumsum([0, *(sum(counts) for counts in self._counts)])
        self._most = max(max(counts, default=0) for counts in self._counts)
        self._kept: Half = np.memmap(file, np.float16, "r").reshape(-1, self.dim)

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.pictures)

    def name(self, item: int) -> str:
        """Return a picture's path."""
        return str(self.pictures[item].path)

    def draw(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return the places of one view, (P, D + 1) float16: features, and 1 where there is a place.

        Raises:
            MediaError: if the picture could not be read.
        """
        counts = self._counts[item]
        if not counts:
            raise MediaError(self._errors[str(item)])
        view = int(rng.integers(len(counts)))
        start, count = self._starts[item] + sum(counts[:view]), counts[view]
        places = np.zeros((self._most, self.dim + 1), np.float16)
        places[:count, :-1] = self._kept[start : start + count]
        places[:count, -1] = 1
        return [_example(places, item)]


def _example(visual: NDArray[Any], item: int) -> Example:
    return Example(visual, (), 0, item, 0)


def _places(picture: TaggedPicture, backbone: Backbone, views: Sequence[tuple[int, bool]]) -> list[Half]:
    """Return the features (P, D) of the places of each view of a picture."""
    image = read_image(picture.path, size=max(longest for longest, _ in views))
    return [_features(scaled(image, longest), mirrored, backbone) for longest, mirrored in views]


def _features(pixels: NDArray[np.uint8], mirrored: bool, backbone: Backbone) -> Half:
    shown = np.ascontiguousarray(pixels[:, ::-1]) if mirrored else pixels
    device = backbone.mean.device
    x = torch.from_numpy(fitted(shown, backbone.stride, backbone.colour))[None].to(device)
    with torch.inference_mode():
        features = backbone(x[..., :3].permute(0, 3, 1, 2).float())[0]
        there = inside(x[..., 3], backbone.stride)[0]
        kept: Half = features[:, there].T.half().cpu().numpy()
    return kept


def _write(file: Path, table: Path, of: str, places: Any, pictures: int, progress: Progress) -> None:
    """Write the features of all pictures, then the table that makes the file valid."""
    counts: list[list[int]] = []
    errors: dict[str, str] = {}
    table.unlink(missing_ok=True)
    try:
        with file.open("wb") as out:
            for n in range(pictures):
                try:
                    views = places(n)
                except MediaError as error:
                    views, errors[str(n)] = [], str(error)
                    progress.message(str(error))
                for view in views:
                    out.write(view.tobytes())
                counts.append([len(view) for view in views])
                progress.update(n + 1, pictures, "features")
        table.write_text(json.dumps({"of": of, "places": counts, "errors": errors}), encoding="utf-8")
    except OSError as error:
        raise SaysoError(
            f"{file} cannot be written: {error.strerror}; make room or give another --out"
        ) from error


def _is_of(table: Path, of: str) -> bool:
    try:
        return bool(json.loads(table.read_text(encoding="utf-8"))["of"] == of)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _identity(
    pictures: Sequence[TaggedPicture], backbone: Backbone, views: Sequence[tuple[int, bool]]
) -> str:
    """Return a digest of what the features follow from: files by name, size and time, not labels."""
    digest = hashlib.sha256(repr((backbone.name, backbone.dim, list(views))).encode())
    for picture in pictures:
        told = picture.path.stat()
        digest.update(f"{picture.path.absolute()} {told.st_size} {told.st_mtime_ns}\n".encode())
    return digest.hexdigest()
