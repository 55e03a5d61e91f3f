"""Captioned toy scenes: what is written is what is drawn, but for the shares that were asked for."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sayso.cli.main import app
from sayso.core.errors import SaysoError
from sayso.toyworld.captioned import describe_things, draw_things, kinds_of_things, write_captioned
from sayso.toyworld.styles import PALETTE
from sayso.toyworld.words import COLOURS, OBJECTS


def told(folder: Path) -> list[str]:
    rows = json.loads((folder / "captions.json").read_text())["annotations"]
    return [row["caption"] for row in rows]


def kinds_named(text: str) -> set[tuple[str, str]]:
    """Read the kinds out of a caption, by the vocabulary alone."""
    found, words = set(), text.replace(",", "").split()
    for first, second in itertools.pairwise(words):
        for colour, names in COLOURS.items():
            for thing, others in OBJECTS.items():
                if first in names and second in others:
                    found.add((colour, thing))
    return found


def test_the_same_arguments_give_the_same_files(tmp_path: Path) -> None:
    one, other = (write_captioned(tmp_path / n, train=4, test=3, size=32, seed=2) for n in "ab")
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert len(files) == 4 + 3 + 3 + 3
    assert all((one / file).read_bytes() == (other / file).read_bytes() for file in files)
    with pytest.raises(SaysoError, match="is there already"):
        write_captioned(one)


def test_captions_say_what_is_drawn_and_wrong_ones_something_else(tmp_path: Path) -> None:
    out = write_captioned(tmp_path / "w", train=200, test=0, size=16, wrong=0.3, empty=0.1)
    truth, texts = json.loads((out / "truth.json").read_text()), told(out / "train")
    for scene, text in zip(truth, texts, strict=True):
        shown = {tuple(kind) for kind in scene["kinds"]}
        if text:
            assert (kinds_named(text) == shown) != scene["wrong"], text
    assert 0.2 < np.mean([scene["wrong"] for scene in truth]) < 0.4
    assert 0.04 < np.mean([not text for text in texts]) < 0.2
    clean = write_captioned(tmp_path / "c", train=200, test=0, size=16)
    pictures = sorted((out / "train" / "images").iterdir())
    assert [p.read_bytes() for p in pictures] == [
        p.read_bytes() for p in sorted((clean / "train" / "images").iterdir())
    ]


def test_no_training_caption_names_what_is_held_out(tmp_path: Path) -> None:
    held_out, seen = (set(kinds_of_things(test=part)) for part in (True, False))
    assert len(held_out) == 28 and not held_out & seen and len(held_out | seen) == 112
    out = write_captioned(tmp_path / "w", train=150, test=40, size=16, wrong=0.4)
    assert set().union(*map(kinds_named, told(out / "train"))) <= seen
    assert set().union(*map(kinds_named, told(out / "test"))) <= held_out
    folders = {tuple(path.name.split()) for path in (out / "zero_shot").iterdir()}
    assert folders == held_out


def test_a_thing_has_its_colour_and_stands_where_the_caption_says() -> None:
    rng = np.random.default_rng(0)
    kinds = (("red", "ball"), ("blue", "brick"))
    for _ in range(20):
        pixels = draw_things(rng, 64, kinds).astype(float) / 255
        middle = [
            np.argwhere(np.abs(pixels - np.array(PALETTE[colour])).sum(2) < 0.35)[:, 1].mean()
            for colour, _ in kinds
        ]
        assert middle[0] < middle[1]
    texts = {describe_things(rng, kinds) for _ in range(300)}
    assert len(texts) > 60
    assert all(kinds_named(text) == set(kinds) for text in texts)


def test_the_command_draws_them(tmp_path: Path) -> None:
    arguments = ["toyworld", "-o", str(tmp_path / "s"), "--scenes", "8", "--size", "16", "--captions"]
    done = CliRunner().invoke(app, [*arguments, "--wrong", "0.5"])
    assert done.exit_code == 0, done.output
    assert len(told(tmp_path / "s" / "train")) == 8 and len(told(tmp_path / "s" / "test")) == 2
    again = CliRunner().invoke(app, ["toyworld", "-o", str(tmp_path / "t"), "--captions"])
    assert again.exit_code == 2 and "--scenes" in again.output
    with pytest.raises(SaysoError, match="1 at most together"):
        write_captioned(tmp_path / "u", wrong=0.8, empty=0.4)
