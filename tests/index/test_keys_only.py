"""An index by key frames: clips begin with them, the rule is remembered, and another rule cuts anew."""

from __future__ import annotations

import av
import numpy as np
import pytest

import toy
from sayso import Index
from sayso.index.roots import read_roots


@pytest.fixture
def media(tmp_path):
    folder = tmp_path / "media"
    folder.mkdir()
    with av.open(str(folder / "rgb.mp4"), "w") as out:  # a key frame every 3 s
        stream = out.add_stream("libx264", rate=10, options={"g": "30", "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for k in range(180):
            colour = toy.COLOURS[("red", "green", "blue")[k // 60]]
            pixels = np.ascontiguousarray(np.broadcast_to(np.uint8(colour), (48, 64, 3)))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        out.mux(stream.encode())
    toy.make_picture(folder / "white.png", "white")
    return folder


def spans(index):
    return sorted((hit.start_s, hit.end_s) for hit in index.search("", filter="kind = 'video'", merge=False))


def test_clips_begin_with_key_frames_and_the_rule_is_remembered(media, tmp_path):
    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    assert index.add(media, keys_only=True).added == 2
    by_keys = [(k, k + 3.0) for k in range(0, 18, 3)]
    assert spans(index) == by_keys
    blue = index.search("blue")[0]
    assert (blue.start_s, blue.end_s, blue.score > 0.5) == (12.0, 18.0, True)
    again = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    assert again.add(media).unchanged == 2
    assert again.add().unchanged == 2
    assert [row.keys_only for row in read_roots(again.store).rows] == [True]
    changed = again.add(media, keys_only=False)
    assert (changed.replaced, changed.unchanged) == (1, 1)
    assert spans(again) == [(0.0, 4.0), (4.0, 8.0), (8.0, 12.0), (12.0, 16.0), (16.0, 18.0)]
    assert again.add(media).unchanged == 2
    again.add(media, keys_only=True, window_s=8.0)
    assert spans(again) == [(0.0, 6.0), (6.0, 12.0), (12.0, 18.0)]


def test_where_a_container_tells_no_key_frames_all_is_decoded(tmp_path, caplog):
    caplog.set_level("INFO", "sayso")
    toy.make_video(tmp_path / "a.avi", ["red", "blue"])
    for name, keys in (("keys", True), ("all", False)):
        Index.open(tmp_path / name, toy.ColourEncoder()).add(tmp_path / "a.avi", keys_only=keys)
    keys, every = (Index.open(tmp_path / name, toy.ColourEncoder()) for name in ("keys", "all"))
    assert spans(keys) == spans(every)
    assert (
        "a.avi: its container does not tell the times of key frames, and it is decoded in full" in caplog.text
    )
