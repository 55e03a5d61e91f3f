from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import films
from sayso.media.container import open_video
from sayso.media.packets import Planner, has_independent_frames
from sayso.media.sampling import Cells


@dataclass(eq=False)
class Packet:
    pts: int
    is_keyframe: bool = False
    is_discard: bool = False
    duration: int = 1
    size: int = 100


def group(first: int, length: int, leading: int = 0) -> list[Packet]:
    """A key frame and what follows, in decoding order: pairs swapped, some shown before the key frame."""
    rest = list(range(first + 1, first + length))
    swapped = [pts for k in range(0, len(rest), 2) for pts in reversed(rest[k : k + 2])]
    before = [Packet(first - 1 - k) for k in range(leading)]
    return [Packet(first, is_keyframe=True), *before, *(Packet(pts) for pts in swapped)]


def plan(packets, cells, *, may_drop=True):
    planner = Planner(cells, float)
    planner.may_drop = may_drop
    return list(planner.plan(packets))


groups = st.lists(st.integers(1, 40), min_size=1, max_size=8)


@given(lengths=groups, start=st.floats(0, 50), step=st.floats(0.3, 60), count=st.none() | st.integers(1, 9))
def test_every_wanted_packet_comes_whole_after_all_that_it_may_need(lengths, start, step, count):
    packets, keys = [], []
    for length in lengths:
        keys.append(len(packets))
        packets += group(len(packets), length)
    cells = Cells(start, step, count)
    steps = plan(packets, cells)
    shown = sorted(packet.pts for packet in packets)
    instants = [cells.instant(k) for k in range(count or 500)]
    wanted = {films.on_screen(shown, t) for t in instants if t < len(shown)}
    whole = {step.packet.pts for step in steps if step.whole}
    assert wanted - {0} <= whole
    sent = {step.packet.pts for step in steps}
    for pts in wanted:
        key = max(key for key in keys if key <= pts)
        assert {
            packet.pts for packet in packets[key : packets.index(next(p for p in packets if p.pts == pts))]
        } <= sent


@given(lengths=groups, step=st.floats(0.3, 60))
def test_decoding_starts_anew_exactly_where_something_was_left_out(lengths, step):
    packets = [packet for k, length in enumerate(lengths) for packet in group(sum(lengths[:k]), length)]
    steps = plan(packets, Cells(0.0, step))
    sent = [packets.index(step.packet) for step in steps]
    assert sent == sorted(sent)
    for (earlier, later), step_ in zip(zip([-1, *sent], sent, strict=False), steps, strict=True):
        assert step_.fresh == (later != earlier + 1)
        assert step_.packet.is_keyframe or not step_.fresh


def test_leaves_out_whole_groups_that_nobody_wants():
    packets = [packet for k in range(6) for packet in group(10 * k, 10)]
    steps = plan(packets, Cells(0.0, 34.0))  # instants 17 and 51
    assert {step.packet.pts // 10 for step in steps} == {1, 5}
    assert [step.packet.pts for step in steps if step.fresh] == [10, 50]


def test_leaves_nothing_out_before_a_key_frame_that_leans_on_it():
    packets = [*group(0, 10), *group(12, 10, leading=2), *group(22, 10)]
    steps = plan(packets, Cells(0.0, 6.0))  # instants 3, 9, 15, ...
    assert {0, 3, 12, 11, 10} <= {step.packet.pts for step in steps}
    assert 12 not in {step.packet.pts for step in steps if step.fresh}


def test_leaves_no_group_out_before_a_true_key_frame_was_seen():
    packets = [packet for k in range(6) for packet in group(10 * k, 10)]
    steps = plan(packets, Cells(0.0, 34.0), may_drop=False)
    assert not any(step.fresh for step in steps)
    assert {packet.pts for packet in packets if packet.pts <= 50} <= {step.packet.pts for step in steps}


def test_stops_when_nothing_wanted_can_follow():
    endless = (packet for k in range(10**9) for packet in group(10 * k, 10))
    assert max(step.packet.pts for step in plan(endless, Cells(0.0, 7.0, 3))) < 60


def test_holds_back_a_bounded_amount():
    packets = [Packet(0, is_keyframe=True), *(Packet(pts, size=1 << 20) for pts in range(1, 100))]
    steps = plan(packets, Cells(0.0, 151.0, 1))
    assert len(steps) >= 60
    assert sum(step.whole for step in steps) == 1


def test_packets_without_a_time_are_all_decoded():
    packets = [Packet(None, is_keyframe=k == 0) for k in range(30)]
    assert all(step.whole for step in plan(packets, Cells(0.0, 10.0)))


@pytest.mark.parametrize(
    ("name", "sure"),
    [
        ("plain.mp4", True),
        ("hevc.mp4", True),
        ("hevc_layers.mp4", False),
        ("vp9.webm", False),
        ("broadcast.ts", True),
    ],
)
def test_which_decoders_know_what_nothing_is_built_from(film, name, sure):
    with open_video(film(name)) as source:
        assert has_independent_frames(source.stream) is sure
