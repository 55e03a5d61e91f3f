"""Captioned pictures, small in memory and read at random: what contrastive training learns from.

``read_picture_pairs`` makes them of what people have (``sayso.data.picture_sources`` says which forms).
Nothing is kept as an object a picture: where it lies and its captions are columns, 40 bytes and the letters.
"""

from __future__ import annotations

import logging
import os
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.core.counted import counted
from sayso.core.errors import SaysoError
from sayso.core.progress import Progress, Silent
from sayso.data.archives import read_part
from sayso.data.listed_picture import ListedPicture
from sayso.data.manifest import Failure
from sayso.data.packed_strings import PackedStrings, StringPacker
from sayso.data.picture_sources import list_pictures
from sayso.data.problems import Problems, RecordProblem

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.media.images import ShortSide

Listed = ListedPicture | RecordProblem
log = logging.getLogger(__name__)


class PicturePairs:
    """Pictures i = 0 .. N-1, each with at least one caption.

    Args:
        listed: the pictures, and what cannot be used.
        progress: updated with how many were listed.

    Attributes:
        texts: the captions of all pictures, those of one side by side.
        problems: the records that are left out, by reason.
    """

    def __init__(self, listed: Iterable[Listed], progress: Progress | None = None) -> None:
        self.problems = Problems()
        self._archives: list[str] = []
        self._archive, self._parts, self._first = array("i"), array("q"), array("q", [0])
        names, texts = StringPacker(), StringPacker()
        report = (progress or Silent()).update
        for done, one in enumerate(listed, 1):
            if done % 256 == 0:
                report(done)
            if isinstance(one, RecordProblem):
                self.problems.add(one)
                continue
            names.append(self._place(one))
            for caption in one.captions:
                texts.append(caption)
            self._first.append(self._first[-1] + len(one.captions))
        self._names = PackedStrings(*names.arrays())
        self.texts = PackedStrings(*texts.arrays())

    def __len__(self) -> int:
        """Return N, the number of pictures."""
        return len(self._names)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What is broken, one failure for each reason; see ``Problems``."""
        return self.problems.failures

    def name(self, picture: int) -> str:
        """Return what to call a picture in messages: its file, or the archive and its name in it."""
        archive = self._archive[picture]
        return self._names[picture] if archive < 0 else f"{self._archives[archive]}: {self._names[picture]}"

    def captions(self, picture: int) -> tuple[str, ...]:
        """Return a picture's captions, at least one."""
        return tuple(self.texts[self._first[picture] : self._first[picture + 1]])

    def read(self, picture: int, size: ShortSide = None) -> Image:
        """Return a picture, RGB and upright.

        Args:
            picture: which, 0 to N - 1.
            size: pixels of the short side that are needed; large JPEGs are then decoded at a fraction of
                their size, never below this. See ``sayso.media.read_image``.

        Raises:
            SaysoError: if it cannot be read.
        """
        from sayso.media.images import decode_image, read_image

        archive = self._archive[picture]
        if archive < 0:
            return read_image(self._names[picture], size=size)
        offset, length = self._parts[2 * picture], self._parts[2 * picture + 1]
        content = read_part(self._archives[archive], offset, length)
        return decode_image(content, self.name(picture), size=size)

    def _place(self, one: ListedPicture) -> str:
        """Note where a picture lies; return its name there."""
        self._parts.extend(one.part)
        if one.part[1] < 0:
            self._archive.append(-1)
            return one.path
        if not self._archives or self._archives[-1] != one.path:
            self._archives.append(one.path)
        self._archive.append(len(self._archives) - 1)
        return one.key


def read_picture_pairs(
    path: str | os.PathLike[str],
    progress: Progress | None = None,
    *,
    images: str | os.PathLike[str] | None = None,
) -> PicturePairs:
    """Return the pictures with captions that are at a place; none is decoded yet.

    What cannot be used is left out, counted by its reason in ``problems`` and told once.

    Args:
        path: a folder, a ``.json`` in COCO's format, ``.tar`` shards, a ``.tsv`` of captions and URLs, a
            manifest, or what ``sayso curate`` kept; see ``sayso.data.picture_sources``.
        progress: updated with how many pictures were listed.
        images: folder of the pictures, for a ``.json`` and a ``.tsv``, if they are not beside it.

    Raises:
        SaysoError: if nothing is there, it is none of these, or no picture in it can be used.
    """
    here = Path(path).expanduser()
    folder = None if images is None else Path(images).expanduser()
    pairs = PicturePairs(list_pictures(here, folder), progress)
    for line in pairs.problems.lines:
        log.warning("%s: %s", here, line)
    if not len(pairs):
        why = next(iter(pairs.problems.lines), "there is none")
        raise SaysoError(f"{here} holds no picture with a caption that can be used: {why}")
    log.info("%s: %s, %s", here, counted(len(pairs), "picture"), counted(len(pairs.texts), "caption"))
    return pairs
