"""What the texts beside a picture say of it: ``.txt``, a caption a line; ``.json``, one caption or several.

Of a JSON object the first of the keys in ``TEXT_KEYS`` counts that it has. Where there are both, the JSON
counts: img2dataset writes the same caption in both, and one with a line break is one caption still.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sayso.core.errors import SaysoError

TEXT_KEYS = ("captions", "caption", "text", "alt_text")
PICTURE_SUFFIXES_READ = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp"})
_BINARY = re.compile("[\x00-\x08\x0e-\x1a]")


@dataclass(frozen=True, slots=True)
class PictureTexts:
    """The captions of a picture, and what else its JSON says.

    Args:
        captions: at least one, white space single.
        url: where it was found; empty if unknown.
        original: width and height before the picture was made smaller, pixels; None if unknown.
    """

    captions: tuple[str, ...]
    url: str = ""
    original: tuple[int, int] | None = None


def read_texts(files: Mapping[str, bytes]) -> PictureTexts:
    """Return what the texts beside a picture say.

    Args:
        files: their bytes by suffix, such as ``txt`` and ``json``.

    Raises:
        SaysoError: if there is no caption in them; the words are the same for all of one reason.
    """
    told: Mapping[str, Any] = {}
    if "json" in files:
        found = _from_json(files["json"])
        told = found if isinstance(found, dict) else {"captions": found}
    texts = captions_in(told)
    if texts is None and "txt" in files:
        texts = clean(_decoded(files["txt"]).splitlines())
    if texts is None:
        raise SaysoError("has no caption")
    if not texts:
        raise SaysoError("its caption is empty")
    return PictureTexts(texts, _text(told.get("url")), original_size(told))


def captions_in(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the captions that a record has; None if it has no such entry, nothing if they are empty.

    Raises:
        SaysoError: if what is there is no text.
    """
    key = next((key for key in TEXT_KEYS if row.get(key) is not None), None)
    if key is None:
        return None
    found = row[key] if isinstance(row[key], list) else [row[key]]
    found = [one.get("caption") if isinstance(one, dict) else one for one in found]
    if not all(isinstance(one, str) for one in found):
        raise SaysoError("its caption is no text")
    return clean(found)


def clean(texts: list[str]) -> tuple[str, ...]:
    """Return texts with single spaces, without those that say nothing."""
    words = (" ".join(_storable(text).replace("\0", " ").split()) for text in texts)
    return tuple(text for text in words if text)


def original_size(row: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return width and height before it was made smaller, as img2dataset notes them."""
    width, height = row.get("original_width"), row.get("original_height")
    if type(width) is int and type(height) is int and min(width, height) > 0 and max(width, height) < 1 << 31:
        return width, height
    return None


def _from_json(content: bytes) -> Any:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SaysoError("its JSON cannot be read") from error
    if not isinstance(found, dict | list):
        raise SaysoError("its JSON is no object")
    return found


def _decoded(content: bytes) -> str:
    from sayso.text.captions.encoding import decode_text

    try:
        text = decode_text(content)[0]
    except ValueError as error:
        raise SaysoError("its caption is no text") from error
    if _BINARY.search(text):
        raise SaysoError("its caption is no text")
    return text


def _text(value: object) -> str:
    return _storable(value) if isinstance(value, str) else ""


def _storable(text: str) -> str:
    """Return a text without halves of characters, which JSON can spell and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
