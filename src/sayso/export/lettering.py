"""Text on pictures: Pillow's own font has the letters of English and few others."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import combining, normalize

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

MORE = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "Arial Unicode.ttf",
    "arial.ttf",
    "NotoSansCJK-Regular.ttc",
    "msyh.ttc",
)


@lru_cache(maxsize=1024)
def lettering(text: str, size: int) -> tuple[str, FreeTypeFont | ImageFont]:
    """Return a text as it can be written, and the font that writes it.

    Where Pillow's own font lacks a letter, a font of this machine is taken that has them all; where there
    is none, letters lose their accents (Amelie for Amélie), and others stay as the font's empty box.

    Args:
        text: one line.
        size: of the letters, pixels.
    """
    from PIL import ImageFont

    own = ImageFont.load_default(size)
    if _writes(own, text):
        return text, own
    for name in MORE:
        try:
            font = ImageFont.truetype(name, size)
        except OSError:
            continue
        if _writes(font, text):
            return text, font
    return "".join(letter for letter in normalize("NFKD", text) if not combining(letter)), own


def _writes(font: FreeTypeFont | ImageFont, text: str) -> bool:
    missing = bytes(font.getmask("\uffff"))
    return all(bytes(font.getmask(letter)) != missing for letter in set(text) if not letter.isspace())
