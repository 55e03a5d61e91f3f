"""Pictures in a terminal: by the protocols of kitty, iTerm2 and sixel, else as coloured half blocks."""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

Protocol = Literal["kitty", "iterm2", "sixel", "blocks"]
COLUMNS, MOST_ROWS = 28, 10
_CELL = 10, 20  # pixels of a cell where nothing tells
_KITTY_CHUNK = 4096
_SIXEL_TERMS = ("sixel", "mlterm", "yaft", "foot", "contour")
_SIXEL_COLOURS = 64


def terminal_protocol(environment: Mapping[str, str]) -> Protocol:
    """Return how the terminal that the environment describes shows pictures."""
    term = environment.get("TERM", "")
    program = environment.get("TERM_PROGRAM", "")
    if "TMUX" in environment or term.startswith(("screen", "tmux")):
        return "blocks"
    if "KITTY_WINDOW_ID" in environment or "kitty" in term or program == "ghostty":
        return "kitty"
    if program in ("iTerm.app", "WezTerm") or environment.get("LC_TERMINAL") == "iTerm2":
        return "iterm2"
    return "sixel" if any(name in term for name in _SIXEL_TERMS) else "blocks"


def terminal_picture(jpeg: bytes, protocol: Protocol) -> str:
    """Return what shows a picture in at most 28 x 10 cells, with the line's end.

    Args:
        jpeg: the picture.
        protocol: of the terminal.
    """
    from PIL import Image

    with Image.open(io.BytesIO(jpeg)) as opened:
        picture = opened.convert("RGB")
    columns, rows = _cells(picture.width, picture.height)
    if protocol == "blocks":
        return _blocks(_pixels(picture, columns, 2 * rows))
    if protocol == "sixel":
        return f"{_sixel(picture.resize((columns * _CELL[0], rows * _CELL[1])))}\n"
    held = io.BytesIO()
    picture.save(held, "PNG")
    data = base64.b64encode(held.getvalue()).decode()
    if protocol == "iterm2":
        return f"\033]1337;File=inline=1;width={columns};height={rows};preserveAspectRatio=1:{data}\a\n"
    return f"{''.join(_kitty(data, columns, rows))}\n"


def _cells(width: int, height: int) -> tuple[int, int]:
    """Return columns and rows that keep the shape, a cell being twice as tall as wide."""
    rows = max(1, round(COLUMNS * height / width / 2))
    if rows <= MOST_ROWS:
        return COLUMNS, rows
    return max(1, round(2 * MOST_ROWS * width / height)), MOST_ROWS


def _kitty(data: str, columns: int, rows: int) -> Iterator[str]:
    for at in range(0, len(data), _KITTY_CHUNK):
        more = int(at + _KITTY_CHUNK < len(data))
        control = f"a=T,f=100,c={columns},r={rows},m={more}" if at == 0 else f"m={more}"
        yield f"\033_G{control};{data[at : at + _KITTY_CHUNK]}\033\\"


def _pixels(picture: Image, width: int, height: int) -> NDArray[np.uint8]:
    return np.asarray(picture.resize((width, height)))


def _blocks(pixels: NDArray[np.uint8]) -> str:
    """Return half blocks: above the ink, below the ground."""
    lines = []
    for above, below in zip(pixels[::2], pixels[1::2], strict=True):
        cells = [
            f"\033[38;2;{a[0]};{a[1]};{a[2]};48;2;{b[0]};{b[1]};{b[2]}m▀"
            for a, b in zip(above, below, strict=True)
        ]
        lines.append(f"{''.join(cells)}\033[0m\n")
    return "".join(lines)


def _sixel(picture: Image) -> str:
    """Return DEC's sixels: bands of six rows, each drawn once a colour, runs of equal columns counted."""
    reduced = picture.quantize(_SIXEL_COLOURS)
    pixels = np.asarray(reduced)
    palette = np.array(reduced.getpalette() or [], int).reshape(-1, 3)
    height, width = pixels.shape
    parts = [f'\033Pq"1;1;{width};{height}']
    parts += [f"#{k};2;{';'.join(str(round(v * 100 / 255)) for v in palette[k])}" for k in np.unique(pixels)]
    weights = 1 << np.arange(6)[:, None]
    for top in range(0, height, 6):
        band = pixels[top : top + 6]
        drawn = [f"#{k}{_runs(((band == k) * weights[: len(band)]).sum(0) + 63)}" for k in np.unique(band)]
        parts.append("$".join(drawn))
        parts.append("-")
    return "".join([*parts, "\033\\"])


def _runs(letters: NDArray[np.int64]) -> str:
    changes = np.flatnonzero(np.diff(letters)) + 1
    starts = [0, *changes.tolist(), len(letters)]
    runs = itertools.pairwise(starts)
    return "".join(f"!{end - start}{chr(letters[start])}" for start, end in runs)
