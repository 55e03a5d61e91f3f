"""A small index of plain colours."""

from __future__ import annotations

from pathlib import Path

import pytest

import toy
from sayso import Index


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A folder: a video that is red, then blue, then green, one that is yellow, and two pictures."""
    folder = tmp_path / "media"
    (folder / "sub").mkdir(parents=True)
    toy.make_video(folder / "rbg.mp4", ["red", "blue", "green"])
    toy.make_video(folder / "sub" / "yellow.mp4", ["yellow"], seconds_each=6)
    toy.make_picture(folder / "white.png", "white")
    toy.make_picture(folder / "sub" / "it's magenta.jpg", "magenta")
    return folder


@pytest.fixture
def index(tmp_path: Path, media: Path) -> Index:
    """That folder, indexed."""
    index = Index.open(tmp_path / "toy.index", toy.ColourEncoder())
    report = index.add(media)
    assert not report.failures
    return index
