"""Named drawings that packages carry: emoji by several artists, and clip art.

Emoji lie as ``npm install`` leaves them, in ``node_modules``:

    emoji-datasource-google, emoji-datasource-twitter    64 x 64 PNG, names in emoji.json
    @lobehub/fluent-emoji-3d                             WebP; the names are those of the others

Flags and skin tones are left out. The clip art is Debian's openclipart-png, with the titles and tags of
openclipart-svg; flags, playing cards, icons and plain shapes are left out.

Sources
    https://www.npmjs.com/package/emoji-datasource, https://openclipart.org
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError

ARTISTS = ("google", "twitter")
FLUENT = "fluent"
CLIP_ART = "openclipart"
_NO_THING = frozenset({"Flags", "Component"})
_NO_CLIP_ART = (
    "shapes", "computer", "buttons", "special", "logos", "unsorted", "signs_and_symbols/flags",
    "recreation/games/cards", "people/stickmen", "transportation/aiga", "signs_and_symbols/map_symbols",
    "geography",
)  # fmt: skip
_LARGEST = 4_000_000  # pixels


@dataclass(frozen=True, slots=True)
class NamedDrawing:
    """A drawing and what it is called.

    Args:
        path: the file.
        names: in lower case, the plainest first.
        artist: who drew it.
        thing: what two drawings of the same share.
    """

    path: Path
    names: tuple[str, ...]
    artist: str
    thing: str

    @property
    def held_out(self) -> bool:
        """Whether the shipped head has never seen its thing, whoever drew it: one in seven."""
        return hashlib.sha256(self.thing.encode()).digest()[0] % 7 == 0


def read_emoji(modules: Path) -> list[NamedDrawing]:
    """Return the emoji of a ``node_modules`` folder.

    Raises:
        SaysoError: if the packages are not there.
    """
    tables = [modules / f"emoji-datasource-{artist}" / "emoji.json" for artist in ARTISTS]
    table = next((path for path in tables if path.is_file()), None)
    if table is None:
        raise SaysoError(
            f"{modules} holds no emoji-datasource-google; run: "
            "npm install --prefix DRAWINGS emoji-datasource-google@16.0.0 and name DRAWINGS/node_modules"
        )
    rows = json.loads(table.read_text(encoding="utf-8"))
    return [drawing for row in rows if row["category"] not in _NO_THING for drawing in _emoji(modules, row)]


def _emoji(modules: Path, row: dict[str, Any]) -> Iterator[NamedDrawing]:
    """Yield the drawings of one emoji by all artists."""
    names = tuple(dict.fromkeys(plain_name(name) for name in (row["name"], *row["short_names"])))
    for artist in ARTISTS:
        path = modules / f"emoji-datasource-{artist}" / "img" / artist / "64" / row["image"]
        if row[f"has_img_{artist}"] and path.is_file():
            yield NamedDrawing(path, names, artist, row["short_name"])
    codes = [code.lower() for code in (row["unified"], row["non_qualified"]) if code]
    assets = [modules / "@lobehub" / "fluent-emoji-3d" / "assets" / f"{code}.webp" for code in codes]
    for path in [path for path in assets if path.is_file()][:1]:
        yield NamedDrawing(path, names, FLUENT, row["short_name"])


def read_clip_art(root: Path) -> list[NamedDrawing]:
    """Return the clip art of openclipart-png and -svg, unpacked into one folder.

    Raises:
        SaysoError: if it is not there.
    """
    pictures = root / "usr/share/openclipart/png"
    if not pictures.is_dir():
        raise SaysoError(f"{root} holds no clip art; unpack openclipart-png and openclipart-svg into it")
    described = {path.stem: path for path in (root / "usr/share/openclipart/svg").rglob("*.svg")}
    found = []
    for path in sorted(pictures.rglob("*.png")):
        folder = path.relative_to(pictures).as_posix()
        if folder.startswith(_NO_CLIP_ART) or path.stem not in described or _is_large(path):
            continue
        names = _titled(described[path.stem].read_text(encoding="utf-8", errors="replace"))
        if names:
            found.append(NamedDrawing(path, names, CLIP_ART, f"clip art: {names[0]}"))
    return found


def plain_name(name: str) -> str:
    """Return a name in lower case, without the signs of identifiers."""
    return " ".join(re.sub(r"[_#:\-]+", " ", name).lower().split())


def _titled(svg: str) -> tuple[str, ...]:
    """Return the title of a drawing and its first tags, where they say something."""
    title = re.search(r"<dc:title>([^<]*)</dc:title>", svg)
    subject = re.search(r"<dc:subject>(.*?)</dc:subject>", svg, re.DOTALL)
    tags = re.findall(r"<rdf:li>([^<(]+)</rdf:li>", subject[1]) if subject else []
    words = re.sub(r"\d+|(?<=[a-z])(?=[A-Z])", " ", title[1]) if title else ""
    names = plain_name(words), ", ".join(plain_name(tag) for tag in tags[:4])
    return tuple(name for name in names if len(name) > 2 and "clipart" not in name and name != "unsorted")


def _is_large(path: Path) -> bool:
    """Tell from the header of a PNG whether it has more pixels than are worth decoding."""
    with path.open("rb") as file:
        width, height = struct.unpack(">16x2I", file.read(24))
    return bool(width * height > _LARGEST)
