"""Toy scenes: pictures of things, their tags, and the boxes that the pixels bear out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sayso.cli.main import app
from sayso.core.errors import SaysoError
from sayso.data.tags_reader import read_boxes, read_tagged
from sayso.toyworld.scenes import THINGS, draw_scene, write_scenes


def test_the_same_arguments_give_the_same_files(tmp_path: Path) -> None:
    one, other = (write_scenes(tmp_path / name, train=3, test=1, size=48, seed=5) for name in "ab")
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert len(files) == 6
    for file in files:
        assert (one / file).read_bytes() == (other / file).read_bytes()
    with pytest.raises(SaysoError, match="is there already"):
        write_scenes(one)


def test_tags_and_boxes_are_read_back(tmp_path: Path) -> None:
    write_scenes(tmp_path / "s", train=20, test=0, size=64)
    tagged = read_tagged(tmp_path / "s" / "train")
    assert set(tagged.names) == set(THINGS)
    told = json.loads((tmp_path / "s" / "train" / "instances.json").read_text())
    boxes = read_boxes(tmp_path / "s" / "train", tagged)
    assert sum(map(len, boxes)) == len(told["annotations"])
    for picture, found in zip(tagged.pictures, boxes, strict=True):
        there = {box.label for box in found}
        assert [k in there for k in range(len(THINGS))] == [label == 1 for label in picture.labels]


def test_things_are_where_the_boxes_say() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        state = rng.bit_generator.state
        pixels, things = draw_scene(rng, 96, most=1)
        (thing,) = things
        after = rng.bit_generator.state
        rng.bit_generator.state = state
        empty = empty_scene(rng, 96)
        rng.bit_generator.state = after
        changed = np.abs(pixels.astype(int) - empty.astype(int)).max(2) > 40
        rows, columns = np.nonzero(changed)
        x0, y0, x1, y1 = thing.edges
        assert 0 <= x0 < x1 <= 96 and 0 <= y0 < y1 <= 96
        assert ((columns >= x0 - 3) & (columns < x1 + 3) & (rows >= y0 - 3) & (rows < y1 + 3)).all()


def test_the_command_draws_scenes(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["toyworld", "-o", str(tmp_path / "s"), "--scenes", "4", "--size", "32"])
    assert done.exit_code == 0, done.output
    assert len(read_tagged(tmp_path / "s" / "train").pictures) == 4
    assert len(read_tagged(tmp_path / "s" / "test").pictures) == 1


def empty_scene(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return the same place without things: the style is drawn first."""
    from sayso.toyworld.draw import to_bytes
    from sayso.toyworld.styles import draw_style

    style = draw_style(rng, size)
    m = style.margin
    backdrop = style.backdrop[None, m : m + size, m : m + size]
    return to_bytes(backdrop * np.float32(style.light))[0]
