"""Progress in media time: what is left is known from headers, and in how much time it will be done."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toy
from sayso import Index
from sayso.index.amounts import Amounts


class Clock:
    """A clock that is set."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("speed", [3.0, 40.0])
@pytest.mark.parametrize("picture_s", [0.02, 0.06])
def test_an_hour_among_pictures_is_foreseen_within_30_percent(speed, picture_s):
    """From the first word on, whatever pictures cost beside video, read first or last."""
    pictures = {f"{k:03}.jpg": 3_000_000 for k in range(132)}
    for video_first in (True, False):
        clock = Clock()
        amounts = Amounts({**pictures, "long.mp4": 2_000_000_000}, ["long.mp4"], clock)
        amounts._learn("long.mp4", 3600.0)
        steps = [("long.mp4", 4.0 * k) for k in range(1, 900)] + [("long.mp4", None)]
        others = [(name, None) for name in pictures]
        plan = steps + others if video_first else others + steps
        ends = 3600 / speed + 132 * picture_s
        checked = 0
        for path, second in plan:
            clock.now += 4.0 / speed if path == "long.mp4" else picture_s
            amounts.reached(path, second) if second else amounts.finished(path, None)
            amount = amounts.now()
            if amount.eta_s is not None:
                checked += 1
                assert amount.eta_s == pytest.approx(ends - clock.now, abs=0.3 * ends), (clock.now, ends)
        assert checked > 700
        assert amounts.now().work == amounts.now().total_work == 3666
        assert amounts.now().bytes == amounts.now().total_bytes


def test_what_was_decoded_meanwhile_and_comes_in_a_rush_does_not_shorten_the_time():
    """A film is decoded at 10 times real time; the model starts late, and embeds twice as fast as that."""
    clock, checked = Clock(), 0
    amounts = Amounts({"film.mp4": 1}, ["film.mp4"], clock)
    amounts._learn("film.mp4", 1000.0)
    batches = [(max(10 + second / 20, second / 10), second) for second in range(16, 1000, 16)]
    for clock.now, second in batches:
        amounts.decoded("film.mp4", 10 * clock.now)
        amounts.reached("film.mp4", second)
        eta_s = amounts.now().eta_s
        if eta_s is not None:
            checked += 1
            assert eta_s == pytest.approx(100 - clock.now, abs=15), clock.now
    assert checked > 50


FILES = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.tuples(st.integers(1, 10**9), st.one_of(st.none(), st.floats(0.5, 9000))),
    min_size=1,
    max_size=12,
)


@given(FILES, st.data())
def test_sums_are_those_of_the_files(files, data):
    """Whatever is probed, under way, left out or done, in any order."""
    clock = Clock()
    videos = [name for name, (_, length) in files.items() if length is not None]
    amounts = Amounts({name: size for name, (size, _) in files.items()}, videos, clock)
    states = {}
    for name, (_, length) in files.items():
        states[name] = data.draw(st.sampled_from(["waits", "probed", "under way", "done", "left out"]))
        clock.now += 1
        if length is not None and states[name] in ("probed", "under way"):
            amounts._learn(name, length)
        if length is not None and states[name] == "under way":
            amounts.reached(name, length / 2)
        if states[name] == "done":
            amounts.finished(name, length)
        if states[name] == "left out":
            amounts.leave_out(name)
    now = amounts.now()
    kept = {name: files[name] for name, state in states.items() if state != "left out"}
    assert now.total_bytes == sum(size for size, _ in kept.values())
    done = {"waits": 0, "probed": 0, "under way": 0.5, "done": 1}
    assert now.bytes == pytest.approx(
        sum(
            size * (done[states[name]] if length is not None else states[name] == "done")
            for name, (size, length) in kept.items()
        ),
        abs=1,
    )
    assert now.seconds == pytest.approx(
        sum((length or 0) * done[states[name]] for name, (_, length) in kept.items())
    )
    assert now.seconds <= now.total_seconds + 1e-6 and now.work <= now.total_work + 1e-6
    if all(state != "waits" for name, state in states.items() if name in videos):
        assert now.total_seconds == pytest.approx(sum(length or 0 for _, length in kept.values()))


def test_an_index_reports_seconds_and_bytes_while_a_file_is_read(tmp_path):
    folder = tmp_path / "media"
    folder.mkdir()
    long = toy.make_video(folder / "long.mp4", ["red", "blue", "green", "cyan"] * 5, fps=1)
    small = toy.make_picture(folder / "white.png", "white")
    said = []

    class Listening:
        def update(self, done, total=None, note="", amount=None):
            said.append((done, total, note, amount))

    index = Index.open(tmp_path / "x.index", toy.ColourEncoder())
    index.add(folder, progress=Listening())
    assert said[0][2] == "loading the model"
    amounts = [amount for *_, amount in said if amount is not None]
    assert amounts[-1].seconds == amounts[-1].total_seconds == pytest.approx(80, abs=0.5)
    assert amounts[-1].bytes == amounts[-1].total_bytes == long.stat().st_size + small.stat().st_size
    assert any(0 < amount.seconds < 79 for amount in amounts), "within the file"
    assert all(a.seconds <= b.seconds for a, b in pairwise(amounts))
    toy.make_picture(folder / "black.png", "black")
    said.clear()
    index.add(folder, progress=Listening())
    assert [amount.total_seconds for *_, amount in said if amount is not None][-1] == 0, (
        "only what is read counts"
    )
