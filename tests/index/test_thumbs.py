"""Which pictures an index keeps, and what is shown where it keeps none."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import toy
from sayso import Index
from sayso.index.roots import read_roots


def colour(jpeg: bytes) -> str:
    """Return what colour a picture has."""
    seen = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), float).reshape(-1, 3).mean(0)
    return min(toy.COLOURS, key=lambda name: np.abs(seen - toy.COLOURS[name]).sum())


def kept(index: Index) -> list[str]:
    """Return the ids of the clips that have a picture of their own."""
    index.store.refresh()
    rows = index.store.clips.to_arrow().select(["id", "thumb"]).to_pylist()
    return sorted(row["id"].rpartition("-")[2] for row in rows if row["thumb"])


@pytest.mark.parametrize(
    ("thumbs", "numbers", "shown"),
    [
        ("clip", ["0"] * 4 + ["1"] * 2 + ["2"], ["red", "blue", "green"]),
        ("video", ["0"] * 4, ["red"] * 3),
        ("none", [], ["red", "blue", "green"]),
    ],
)
def test_what_is_kept_and_what_is_shown(tmp_path, media, thumbs, numbers, shown):
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(media, thumbs=thumbs)
    assert kept(index) == numbers
    (medium,) = {hit.media_id for hit in index.search("red", limit=1)}
    assert [colour(index.thumbnail(hit.id)) for hit in index.moments(medium)] == shown
    with pytest.raises(KeyError):
        index.thumbnail("nothing-0")


def test_it_is_remembered_and_makes_no_other_clips(tmp_path, media):
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(media, thumbs="video")
    toy.make_video(media / "later.mp4", ["cyan", "white"])
    assert index.add().added == 1 and kept(index) == ["0"] * 5
    report = index.add(media, thumbs="clip")
    assert (report.unchanged, report.clips) == (5, 0)
    assert [root.thumbs for root in read_roots(index.store).wanted] == ["clip"]


def test_a_file_that_is_gone_is_shown_in_grey(tmp_path, media):
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(media, thumbs="none")
    (hit,) = index.search("white", limit=1)
    (media / "white.png").unlink()
    grey = np.asarray(Image.open(io.BytesIO(index.thumbnail(hit.id))))
    assert grey.std() < 1
