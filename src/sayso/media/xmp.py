"""XMP, which picture programs leave where EXIF data are lost: found by scanning, as its standard provides.

What is wanted of it are a few texts; they are cut out, and the XML is not parsed.
"""

from __future__ import annotations

import math
import os
import re
from html import unescape

from sayso.media.places import Position, on_earth

_LOOKED_AT = 1 << 19
_PACKET = re.compile(rb"<x:xmpmeta\b.{0,200000}?</x:xmpmeta>", re.DOTALL)
_ATTRIBUTE = re.compile(r"\b((?:exif|photoshop|tiff|xmp):\w+)\s*=\s*(?:\"([^\"<]{0,200})\"|'([^'<]{0,200})')")
_ELEMENT = re.compile(r"<((?:exif|photoshop|tiff|xmp):\w+)>\s*([^<]{0,200}?)\s*</\1>")
_DEGREES = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])", re.ASCII)


def read_xmp(descriptor: int) -> dict[str, str]:
    """Return the plain tags of the first XMP packet in a file, such as ``exif:DateTimeOriginal``.

    Args:
        descriptor: of the open file.

    Raises:
        OSError: if it cannot be read.
    """
    os.lseek(descriptor, 0, os.SEEK_SET)
    packet = _PACKET.search(os.read(descriptor, _LOOKED_AT))
    if packet is None:
        return {}
    text = packet[0].decode("utf-8", "replace")
    tags = {name: unescape(one or other) for name, one, other in _ATTRIBUTE.findall(text)}
    return tags | {name: unescape(value) for name, value in _ELEMENT.findall(text)}


def xmp_position(latitude: str, longitude: str) -> Position | None:
    """Return the place of two tags such as 48,51.4623N and 2,17,42.2E; None if they are none."""
    return on_earth(_decimal(latitude, "S"), _decimal(longitude, "W"))


def _decimal(text: str, negative: str) -> float:
    match = _DEGREES.fullmatch(text)
    if match is None:
        return math.nan
    degrees = float(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
    return -degrees if match[4] == negative else degrees
