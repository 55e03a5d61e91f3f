"""A thousand damaged samples of captioned pictures, each with the reason that must be told of it."""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections import Counter
from pathlib import Path

from data.alt_text.corpora import encoded
from data.test_shards import write_shard

SOUND = encoded(size=(224, 208), quality=60)
GIF = b"GIF89a" + struct.pack("<HH", 4, 4) + b"\0\0\0"
Files = dict[str, bytes]


def huge_png() -> bytes:
    """The header of a picture of 100,000 x 100,000 pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return head + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


def told(caption: object) -> bytes:
    return json.dumps({"caption": caption}).encode()


CUT = "is a damaged or incomplete picture"
NO_PICTURE = "is no picture in a format that can be read"
# name, the files of a sample but for its key, and why it is left out
KINDS: dict[str, tuple[Files, str]] = {
    "cut in the middle": ({"jpg": SOUND[: len(SOUND) // 2], "txt": b"a caption here"}, CUT),
    "cut after the header": ({"jpg": SOUND[:300], "txt": b"a caption here"}, CUT),
    "cut webp": ({"webp": encoded(kind="WEBP")[:-40], "txt": b"a caption here"}, CUT),
    "a page": ({"jpg": b"<html>404 not found</html>", "txt": b"a caption here"}, NO_PICTURE),
    "zeros": ({"png": bytes(500), "txt": b"a caption here"}, NO_PICTURE),
    "huge": ({"png": huge_png(), "txt": b"a caption here"}, "has more pixels than can be decoded"),
    "empty picture": ({"jpg": b"", "txt": b"a caption here"}, "is empty (0 bytes)"),
    "empty text": ({"jpg": SOUND, "txt": b""}, "its caption is empty"),
    "blank text": ({"jpg": SOUND, "txt": b" \n\t\r\n "}, "its caption is empty"),
    "empty list": ({"jpg": SOUND, "json": told([])}, "its caption is empty"),
    "binary text": ({"jpg": SOUND, "txt": bytes(range(16)) * 50}, "its caption is no text"),
    "noise as text": ({"jpg": SOUND, "txt": random.Random(1).randbytes(3000)}, "its caption is no text"),
    "a number": ({"jpg": SOUND, "json": told(17)}, "its caption is no text"),
    "a list of numbers": ({"jpg": SOUND, "json": told([1, 2])}, "its caption is no text"),
    "an object": ({"jpg": SOUND, "json": told({"x": 1})}, "its caption is no text"),
    "null": ({"jpg": SOUND, "json": told(None)}, "has no caption"),
    "no key": ({"jpg": SOUND, "json": b'{"url": "x"}'}, "has no caption"),
    "cut JSON": ({"jpg": SOUND, "json": b'{"caption": "a capt'}, "its JSON cannot be read"),
    "deep JSON": ({"jpg": SOUND, "json": b"[" * 100_000}, "its JSON cannot be read"),
    "a bare word": ({"jpg": SOUND, "json": b'"a caption"'}, "its JSON is no object"),
    "no text": ({"jpg": SOUND}, "has no caption"),
    "no picture": ({"txt": b"a caption here"}, "has no picture"),
    "another kind": ({"mp4": b"x", "txt": b"a caption here"}, "has no picture"),
}
KEYS = ("{n:06d}", "ключ{n}", "a/b c/{n}", "-{n}", "'{n}'", "{n}\n", "%2e%2e{n}", "x" * 120 + "{n}")
GOOD: list[Files] = [
    {"jpg": SOUND, "txt": b"a sound picture"},
    {"png": encoded(kind="PNG"), "json": told("a sound picture")},
    {"webp": encoded(kind="WEBP"), "txt": "ein gutes Bild \u00fc".encode("latin-1")},
    {"jpg": SOUND, "json": b'{"caption": "half of a character \\ud83d here", "original_width": 1e400}'},
]


def write_damaged(folder: Path, damaged: int = 1000, sound: int = 60) -> Counter[str]:
    """Write shards of damaged and of sound samples, mixed; return how often each reason must be told."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(0)
    kinds = list(KINDS.values())
    samples = [kinds[n % len(kinds)] for n in range(damaged)]
    samples += [(GOOD[n % len(GOOD)], "") for n in range(sound)]
    rng.shuffle(samples)
    for shard in range(4):
        files: Files = {}
        for n in range(shard, len(samples), 4):
            key = KEYS[n % len(KEYS)].format(n=n)
            files |= {f"{key}.{suffix}": content for suffix, content in samples[n][0].items()}
        write_shard(folder / f"{shard:05d}.tar", files)
    return Counter(why for _, why in samples if why)
