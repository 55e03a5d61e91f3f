"""What has to be known of a listed picture before rules are applied: it is read and decoded once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sayso.core.errors import SaysoError
from sayso.data.alt_text.near_duplicates import Thumbnail, fingerprints
from sayso.data.archives import read_part, read_whole
from sayso.data.listed_picture import ListedPicture

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_FILE = 256 << 20
_DECODED = 64  # pixels of the short side; damage shows at any size
_REASONS = (
    ("is a damaged or incomplete picture", "is a damaged or incomplete picture"),
    ("is not a picture", "is no picture in a format that can be read"),
    ("above the limit", "has more pixels than can be decoded"),
    ("not enough memory", "there is not enough memory to decode it"),
    ("empty (0 bytes)", "is empty (0 bytes)"),
    ("shorter than when it was listed", "its shard is shorter than when it was listed"),
    ("is too large", "its file is too large"),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A picture that was decoded, or why it could not be.

    Args:
        reason: why, the same words for all of one reason; empty if it was decoded.
        error: the whole sentence.
        width: pixels, as it is shown; before it was made smaller, where that is known.
        height: pixels.
        content: a digest of the file, 64 bits.
        thumbnails: for the search for near-duplicates, if asked for: of a test picture perhaps two.
        picture: for an encoder, if asked for.
    """

    reason: str = ""
    error: str = ""
    width: int = 0
    height: int = 0
    content: int = 0
    thumbnails: tuple[Thumbnail, ...] = ()
    picture: Image | None = None


def measure(listed: ListedPicture, *, side: int = 0, compared: bool = False) -> Measured:
    """Read and decode a picture.

    Args:
        listed: where it lies.
        side: pixels of the short side that an encoder needs; 0: none asks.
        compared: whether its thumbnail is needed.
    """
    from sayso.media.images import decode_image

    shown: list[tuple[int, int]] = []

    def needed(width: int, height: int) -> int:
        shown.append((width, height))
        return max(side, 4 * _DECODED if compared else _DECODED)

    try:
        content = file_bytes(listed)
        picture = decode_image(content, listed.name, size=needed)
    except SaysoError as error:
        return Measured(reason_of(error, listed.name), str(error))
    digest = int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little", signed=True)
    width, height = listed.original or (shown[0] if shown else picture.size)
    thumbnails = tuple(fingerprints(picture)) if compared else ()
    return Measured("", "", width, height, digest, thumbnails, picture if side else None)


def file_bytes(listed: ListedPicture) -> bytes:
    """Return the bytes of a picture's file.

    Raises:
        SaysoError: if it cannot be read, or is larger than 256 MiB.
    """
    offset, size = listed.part
    if size >= 0:
        if size > LARGEST_FILE:
            raise SaysoError(f"{listed.name} is too large, {size:,} bytes")
        return read_part(listed.path, offset, size)
    return read_whole(listed.path, LARGEST_FILE)


def reason_of(error: SaysoError, name: str) -> str:
    """Return why a picture cannot be used, in words that are the same for all of that kind.

    Args:
        error: the sentence.
        name: what it calls the picture.
    """
    message = str(error)
    known = next((reason for part, reason in _REASONS if part in message), None)
    if known is not None:
        return known
    rest = message.removeprefix(name).lstrip(": ")
    if rest == message.lstrip(": "):
        rest = message.rpartition(": ")[2] if ": " in message else "cannot be read"
    return re.sub(r"\d[\d,.]*", "N", re.split(r" \(|;", rest)[0])[:80]
