"""Moments as one picture: a grid of thumbnails, with title and time below each."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sayso.export.lettering import lettering
from sayso.export.timestamps import timestamp

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT, GAP, LINE, LETTER = 320, 180, 16, 20, 15  # pixels
COLUMNS = 6
PAPER, INK, FAINT, EMPTY = (22, 20, 19), (238, 234, 228), (160, 152, 144), (44, 41, 39)


def contact_sheet(rows: Sequence[Mapping[str, Any]], thumbs: Sequence[bytes | None]) -> bytes:
    """Return a PNG with one thumbnail a moment, in their order, row by row.

    Args:
        rows: with ``kind``, ``title``, ``start_s`` and ``end_s``.
        thumbs: a JPEG for each; None where there is none.
    """
    from PIL import Image, ImageDraw

    columns = max(1, min(COLUMNS, math.ceil(math.sqrt(len(rows)))))
    lines = math.ceil(len(rows) / columns)
    cell = WIDTH + GAP, HEIGHT + 2 * LINE + 6 + GAP
    sheet = Image.new("RGB", (columns * cell[0] + GAP, max(1, lines) * cell[1] + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (row, thumb) in enumerate(zip(rows, thumbs, strict=True)):
        x, y = GAP + number % columns * cell[0], GAP + number // columns * cell[1]
        draw.rectangle((x, y, x + WIDTH - 1, y + HEIGHT - 1), fill=EMPTY)
        if thumb is not None:
            _paste(sheet, thumb, x, y)
        _write(draw, (x, y + HEIGHT + 6), row["title"], INK)
        _write(draw, (x, y + HEIGHT + 6 + LINE), _when(row), FAINT)
    held = io.BytesIO()
    sheet.save(held, "PNG", optimize=True)
    return held.getvalue()


def _paste(sheet: Image, thumb: bytes, x: int, y: int) -> None:
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(thumb)) as picture:
        small = ImageOps.contain(picture.convert("RGB"), (WIDTH, HEIGHT))
    sheet.paste(small, (x + (WIDTH - small.width) // 2, y + (HEIGHT - small.height) // 2))


def _write(draw: ImageDraw, place: tuple[int, int], text: str, colour: tuple[int, int, int]) -> None:
    text, font = lettering(" ".join(text.split()), LETTER)
    shown = text
    while shown and draw.textlength(shown, font=font) > WIDTH:
        text = text[:-1]
        shown = f"{text}…"
    draw.text(place, shown, fill=colour, font=font)


def _when(row: Mapping[str, Any]) -> str:
    if row["kind"] == "picture":
        return "picture"
    return f"{timestamp(row['start_s'])}-{timestamp(math.ceil(row['end_s'] - 1e-6))}"
