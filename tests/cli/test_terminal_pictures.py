"""Pictures in a terminal, read back as the terminals do."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from sayso.cli.terminal_pictures import terminal_picture, terminal_protocol


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Four quarters of plain colours, 3:2."""
    pixels = np.zeros((120, 180, 3), np.uint8)
    pixels[:60, :90], pixels[:60, 90:] = (220, 30, 30), (30, 200, 40)
    pixels[60:, :90], pixels[60:, 90:] = (30, 40, 220), (250, 250, 250)
    return pixels


def jpeg_of(pixels: np.ndarray) -> bytes:
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "JPEG", quality=95)
    return held.getvalue()


def near(shown: np.ndarray, pixels: np.ndarray) -> bool:
    """Whether the middles of the quarters have their colours."""
    return all(
        np.abs(
            shown[int(y * shown.shape[0]), int(x * shown.shape[1])].astype(int)
            - pixels[int(y * 120), int(x * 180)]
        ).max()
        < 25
        for y in (0.25, 0.75)
        for x in (0.25, 0.75)
    )


def test_kitty_gets_a_png_in_chunks(picture):
    noise = np.random.default_rng(0).integers(0, 255, (120, 180, 3)).astype(np.uint8)
    for pixels in (picture, noise):
        text = terminal_picture(jpeg_of(pixels), "kitty")
        chunks = re.findall(r"\x1b_G([^;]*);([A-Za-z0-9+/=]*)\x1b\\", text)
        assert "".join(f"\x1b_G{head};{data}\x1b\\" for head, data in chunks) + "\n" == text
        assert chunks[0][0].startswith("a=T,f=100,c=28,r=9,")
        assert [head[-3:] for head, _ in chunks] == ["m=1"] * (len(chunks) - 1) + ["m=0"]
        assert all(len(data) <= 4096 for _, data in chunks)
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in chunks)))))
        assert shown.shape == (120, 180, 3)
        assert pixels is noise or near(shown, picture)


def test_iterm2_gets_a_png_inline(picture):
    text = terminal_picture(jpeg_of(picture), "iterm2")
    match = re.fullmatch(r"\x1b\]1337;File=inline=1;width=28;height=9;preserveAspectRatio=1:(.*)\x07\n", text)
    assert near(np.asarray(Image.open(io.BytesIO(base64.b64decode(match[1])))), picture)


def draw_sixels(text: str) -> np.ndarray:
    """Draw sixels letter by letter, as a terminal does."""
    body = re.fullmatch(r'\x1bPq"1;1;(\d+);(\d+)(.*)\x1b\\\n', text, re.DOTALL)
    width, height = int(body[1]), int(body[2])
    canvas, set_ = np.zeros((height, width, 3)), np.zeros((height, width), bool)
    palette, colour, x, top = {}, 0, 0, 0
    for token in re.findall(r"#\d+;2;\d+;\d+;\d+|#\d+|!\d+.|[?-~]|\$|-", body[3]):
        if token.startswith("#") and ";" in token:
            number, _, *rgb = map(int, token[1:].split(";"))
            palette[number] = np.array(rgb) * 255 / 100
        elif token.startswith("#"):
            colour = int(token[1:])
        elif token == "$":
            x = 0
        elif token == "-":
            x, top = 0, top + 6
        else:
            count, letter = (int(token[1:-1]), token[-1]) if token[0] == "!" else (1, token)
            for bit in range(6):
                if (ord(letter) - 63) >> bit & 1:
                    canvas[top + bit, x : x + count] = palette[colour]
                    set_[top + bit, x : x + count] = True
            x += count
    assert set_.all()
    return canvas


def test_sixels_draw_the_picture(picture):
    shown = draw_sixels(terminal_picture(jpeg_of(picture), "sixel"))
    assert shown.shape == (180, 280, 3)
    assert near(shown, picture)


@pytest.mark.parametrize(
    ("shape", "cells"), [((120, 180), (28, 9)), ((180, 90), (10, 10)), ((40, 400), (28, 1))]
)
def test_blocks_keep_the_shape(picture, shape, cells):
    pixels = np.asarray(Image.fromarray(picture).resize((shape[1], shape[0])))
    lines = terminal_picture(jpeg_of(pixels), "blocks").splitlines()
    assert len(lines) == cells[1]
    read = [re.findall(r"\x1b\[38;2;(\d+);(\d+);(\d+);48;2;(\d+);(\d+);(\d+)m▀", line) for line in lines]
    assert {len(line) for line in read} == {cells[0]}
    assert all(line.endswith("\x1b[0m") for line in lines)
    rows = np.array(read, int).reshape(cells[1], cells[0], 2, 3).swapaxes(1, 2).reshape(-1, cells[0], 3)
    assert cells[1] == 1 or near(rows, picture)


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "mlterm"}, "sixel"),
        ({"TERM": "xterm-256color"}, "blocks"),
        ({"TERM": "screen-256color", "KITTY_WINDOW_ID": "1", "TMUX": "x"}, "blocks"),
        ({}, "blocks"),
    ],
)
def test_the_terminal_is_known_by_its_environment(environment, protocol):
    assert terminal_protocol(environment) == protocol
