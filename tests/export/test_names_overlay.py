"""Names drawn on a film: where the boxes are, what stays as it was, sound, and that nothing half is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import av
import numpy as np
import pytest

from media import films
from sayso.core.errors import SaysoError
from sayso.core.types import Box, Span
from sayso.export import draw_names
from sayso.export.names_overlay import label_of
from sayso.people import Track

TRACKS = [
    Track(Span(0.5, 1.5), boxes=np.array([[20.0, 60, 60, 100], [120.0, 60, 160, 100]])),
    Track(Span(1.0, 2.0), Box(180, 20, 220, 60)),
    Track(Span(0.0, 2.0)),  # nobody knows where
]
ROWS = [
    {"name": "Reggie", "score": 0.9, "action": {"name": "answer phone", "score": 0.8}},
    {"name": None, "score": 0.6, "stranger": 2},
    {"name": "Ann", "score": 0.9},
]


def film(path: Path, size=(240, 160), seconds=2) -> Path:
    """Write a grey film of 10 frames a second with a tone."""
    with av.open(str(path), "w") as out:
        picture, sound = out.add_stream("libx264", rate=10), out.add_stream("aac", rate=48_000)
        picture.width, picture.height, picture.pix_fmt = *size, "yuv420p"
        picture.options = {"preset": "ultrafast"}
        grey = np.full((size[1], size[0], 3), 90, np.uint8)
        tone = np.sin(np.arange(48_000 * seconds) * 0.05).astype(np.float32)
        for _ in range(10 * seconds):
            out.mux(picture.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
        heard = av.AudioFrame.from_ndarray(tone[None], "fltp", "mono")
        heard.sample_rate = 48_000
        out.mux([*picture.encode(), *sound.encode(heard), *sound.encode()])
    return path


def decoded(path: Path) -> tuple[list[float], np.ndarray]:
    times, frames, _ = films.every_frame(path)
    return times, np.array(frames).astype(int)


def test_boxes_follow_the_faces_and_all_else_stays(tmp_path):
    source, target = film(tmp_path / "film.mp4"), tmp_path / "drawn.mp4"
    assert draw_names(source, TRACKS, ROWS, target) == 20
    (times, before), (after_times, after) = decoded(source), decoded(target)
    assert np.allclose(times, after_times, atol=1e-3) and before.shape == after.shape
    changed = abs(before - after).max(3) > 25
    assert not changed[:4].any()  # nobody before half a second
    left, right, top = changed[6, 60:100, 20], changed[6, 60:100, 120], changed[6, 60, 20:60]
    assert left.all() and top.all() and not right.any() and not changed[6, 66:96, 26:56].any()
    assert changed[12, 60:100, 120].all() and not changed[12, 60:100, 20].any()  # the face has moved
    assert changed[12, 20:60, 180].all() and not changed[6, 20:60, 180].any()  # the stranger came
    assert changed[6, 46:60, 20:80].mean() > 0.5  # the label, above the box
    assert after[6, 40:60, 20:110].max() > 200  # its letters are white
    colour = np.median(after[12, 60:100, 120], axis=0)
    assert abs(colour - before[12, 80, 120]).max() > 60 > abs(after[12, 20, 200] - [150] * 3).max()
    with av.open(str(source)) as was, av.open(str(target)) as now:
        heard = [np.concatenate([f.to_ndarray()[0] for f in one.decode(audio=0)]) for one in (was, now)]
    length = min(map(len, heard)) - 2000
    assert abs(len(heard[0]) - len(heard[1])) < 3000 and abs(heard[1]).max() > 0.1
    loud = [np.abs(one[2000:length]).mean() for one in heard]
    assert loud[0] == pytest.approx(loud[1], rel=0.1)


def test_labels_say_who_and_what():
    assert [label_of(row) for row in ROWS] == ["P: REGGIE  A: AnswerPhone", "P: stranger 2", "P: ANN"]
    assert label_of({"name": None, "score": 0.9, "action": None}) == ""
    assert label_of({"name": "Ann", "score": 0.4}) == "P: ANN?"


def test_a_foreign_file_and_an_interrupted_run_are_left_as_they_were(tmp_path):
    source, target = film(tmp_path / "film.mp4"), tmp_path / "drawn.mp4"
    target.write_bytes(b"somebody's")
    with pytest.raises(SaysoError, match="is there already"):
        draw_names(source, TRACKS, ROWS, target)
    assert target.read_bytes() == b"somebody's"
    target.unlink()

    class Interrupted:
        calls = count()

        def update(self, *done, **more):
            if next(self.calls) == 12:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_names(source, TRACKS, ROWS, target, progress=Interrupted())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4"]


def test_what_cannot_be_drawn_is_one_sentence(tmp_path):
    source = film(tmp_path / "film.mp4")
    with pytest.raises(SaysoError, match="no track says where its face is"):
        draw_names(source, TRACKS[2:], ROWS[2:], tmp_path / "drawn.mp4")
    for target, sentence in (("drawn.gif", r"\.mp4 or \.mkv"), ("film.mp4", "what would be cut|already")):
        with pytest.raises(SaysoError, match=sentence):
            draw_names(source, TRACKS, ROWS, tmp_path / target)


@pytest.mark.slow
def test_a_killed_run_leaves_nothing_and_the_next_one_is_whole(tmp_path):
    film(tmp_path / "film.mp4", (320, 240), 40)
    code = f"""
from test_names_overlay import ROWS, TRACKS, draw_names
class Bar:
    def update(self, done, *more):
        print(done, flush=True)
draw_names(r"{tmp_path}/film.mp4", TRACKS, ROWS, r"{tmp_path}/drawn.mp4", progress=Bar())
"""
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    env = os.environ | {"PYTHONPATH": os.pathsep.join([paths, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as running:
        assert running.stdout is not None
        assert any(float(line) > 5 for line in running.stdout)  # it is drawing
        running.send_signal(signal.SIGKILL)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
    assert draw_names(tmp_path / "film.mp4", TRACKS, ROWS, tmp_path / "drawn.mp4") == 400
