"""Pictures: any file Pillow opens becomes RGB, the right way up.

Pillow's warnings and log about damaged metadata and large pictures are silenced once,
for Pillow's own modules only: the pixel limit and the errors here say what they say.
"""

from __future__ import annotations

import io
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import MediaError, SaysoError
from sayso.media.colours import to_rgb
from sayso.media.files import MAX_PIXELS, open_regular, printable_path

if TYPE_CHECKING:
    from PIL.Image import Exif, Image

_REFUSED = frozenset({"EPS", "WMF", "MPEG", "BUFR", "GRIB", "HDF5"})  # they run programs, or hold no pixels
_TURNED = 0x0112  # the EXIF tag of orientation
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_HEIF_HEAD = 1 << 20  # bytes in which a HEIC file says how it is turned
_PILLOW = r"PIL\."
_JPEG_QUALITY = 80


ShortSide = int | Callable[[int, int], int] | None


def read_image(
    path: str | os.PathLike[str], *, size: ShortSide = None, max_pixels: int = MAX_PIXELS
) -> Image:
    """Read a picture of any format that Pillow opens, as RGB, turned as its EXIF data says.

    Transparent pixels are laid on white, 16-bit and float pixels are scaled to 8 bits, colours come
    out in sRGB whatever profile is embedded, and of an animation the first frame is taken.

    Args:
        path: the picture file, recognised by its content.
        size: pixels of the short side that are needed, or what says so when it is given width and height
            of the picture as it is shown. Large JPEGs are then decoded at a
            fraction of their size, never below this; the picture that is returned may be larger.
        max_pixels: width times height above which the file is refused.

    Raises:
        MediaError: if it cannot be read, is incomplete, or is larger than ``max_pixels``.
    """
    with open_regular(path) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
        return _decoded(file, printable_path(path), size, max_pixels)


@contextmanager
def picture_header(path: str | os.PathLike[str]) -> Iterator[tuple[tuple[int, int], Exif]]:
    """Give width and height of a picture as it is shown, pixels, and its EXIF data; nothing is decoded.

    Raises:
        MediaError: if it is no picture that can be read.
    """
    with open_regular(path) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
        try:
            image = open_picture(file, printable_path(path), MAX_PIXELS)
            turn = None if image.format == "TIFF" else _turn_of(image, file)  # Pillow turns these itself
            held = _shown_size(image, turn), image.getexif()
        except MediaError:
            raise
        except Exception as error:  # a damaged file can make a parser raise anything
            raise MediaError(f"{printable_path(path)} is a damaged picture ({error})") from error
        yield held


def decode_image(content: bytes, name: str, *, size: ShortSide = None, max_pixels: int = MAX_PIXELS) -> Image:
    """Decode a picture that is in memory, as ``read_image`` reads a file.

    Args:
        content: the bytes of its file.
        name: what to call it in messages.
        size: pixels of the short side that are needed; see ``read_image``.
        max_pixels: width times height above which it is refused.

    Raises:
        MediaError: if it cannot be read, is empty or incomplete, or is larger than ``max_pixels``.
    """
    if not content:
        raise MediaError(f"{name} is empty (0 bytes)")
    return _decoded(io.BufferedReader(io.BytesIO(content)), name, size, max_pixels)


def _decoded(file: io.BufferedReader, name: str, size: ShortSide, max_pixels: int) -> Image:
    try:
        image = open_picture(file, name, max_pixels)
        if size is not None and image.format in ("JPEG", "MPO"):
            needed = size if isinstance(size, int) else size(*_shown_size(image, _turn_of(image, file)))
            image.draft("RGB", (needed, needed))
        image.load()
        turn = _turn_of(image, file)
        upright = to_rgb(image)
        image.close()  # or three copies of it are held while it is turned
        return _turned(upright, turn)
    except MediaError:
        raise
    except MemoryError as error:
        raise MediaError(f"{name}: there is not enough memory to decode it") from error
    except Exception as error:  # a damaged file can make a decoder raise anything
        raise MediaError(f"{name} is a damaged or incomplete picture ({error})") from error


def _shown_size(image: Image, turn: object) -> tuple[int, int]:
    """Return width and height once it is turned upright."""
    width, height = image.size
    return (height, width) if turn in (5, 6, 7, 8) else (width, height)


def thumbnail(image: Image | NDArray[np.uint8], side: int = 256) -> bytes:
    """Return a small JPEG of a picture or a frame.

    Args:
        image: a PIL image, or (H, W, 3) uint8 RGB.
        side: its longer side becomes at most this many pixels.

    Raises:
        SaysoError: if the array is not a picture.
    """
    from PIL import Image as PILImage

    if isinstance(image, np.ndarray):
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
            raise SaysoError(f"a frame must be (H, W, 3) uint8; got {image.shape} {image.dtype}")
        image = PILImage.fromarray(np.ascontiguousarray(image))
    scale = side / max(image.size)
    small = image if image.mode == "RGB" else to_rgb(image)
    if scale < 1:
        width, height = (max(1, round(length * scale)) for length in image.size)
        small = small.resize((width, height), PILImage.Resampling.BICUBIC, reducing_gap=2.0)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def open_picture(file: io.BufferedReader, name: str, max_pixels: int) -> Image:
    """Read a picture's header.

    Args:
        file: the open file, at its beginning.
        name: for messages.
        max_pixels: width times height above which it is refused.

    Raises:
        MediaError: if it is too large or no picture.
    """
    from PIL import Image as PILImage
    from PIL import UnidentifiedImageError

    _silence_pillow()
    _prepare_for(file.peek(64)[:64], name)
    PILImage.init()
    try:
        image = PILImage.open(file, formats=[known for known in PILImage.ID if known not in _REFUSED])
    except PILImage.DecompressionBombError as error:
        found = re.search(r"\((\d+) pixels\)", str(error))
        pixels = f"{int(found[1]) / 1e6:.3g} million" if found else "too many"
        raise _too_large(name, pixels, max_pixels) from error
    except UnidentifiedImageError as error:
        raise MediaError(f"{name} is not a picture in a format that can be read") from error
    width, height = image.size
    if width * height > max_pixels:
        raise _too_large(name, f"{width} x {height}", max_pixels)
    return image


def _silence_pillow() -> None:
    """Install the filter where it is missing; a context manager would not be safe among threads."""
    logger = logging.getLogger("PIL")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())  # or Python prints its errors on stderr
    known = {getattr(entry[3], "pattern", None) for entry in warnings.filters if entry[0] == "ignore"}
    if _PILLOW not in known:
        warnings.filterwarnings("ignore", module=_PILLOW)


def _prepare_for(head: bytes, name: str) -> None:
    """Refuse PostScript; load the plug-in that HEIC pictures need."""
    if head.startswith((b"%!PS", b"\xc5\xd0\xd3\xc6")):
        raise MediaError(f"{name} is PostScript, a program, which is not run; convert it to PNG")
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS and b"avif" not in head:
        try:
            plugin = import_module("pillow_heif")
        except ImportError as error:
            raise MediaError(f"{name} is a HEIC picture; to read it run: pip install pillow-heif") from error
        plugin.register_heif_opener()


def _too_large(name: str, pixels: str, limit: int) -> MediaError:
    return MediaError(
        f"{name} has {pixels} pixels, above the limit of {limit / 1e6:.3g} million; "
        "make a smaller copy of it, or raise max_pixels if that is right"
    )


def _turn_of(image: Image, file: io.BufferedReader) -> object:
    """Return how a picture lies, as EXIF counts; damaged EXIF data say nothing."""
    if image.format == "HEIF":  # the plug-in has done what the container asks for, and taken the tag away
        file.seek(0)
        head = file.read(_HEIF_HEAD)
        return None if b"irot" in head or b"imir" in head else image.info.get("original_orientation")
    try:
        return image.getexif().get(_TURNED)
    except Exception:  # noqa: BLE001  whatever a parser raises on damaged bytes
        return None


def _turned(image: Image, value: object) -> Image:
    """Turn the picture upright."""
    from PIL.Image import Transpose

    turn = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(value if isinstance(value, int) else 0)
    return image if turn is None else image.transpose(turn)
