"""Subtitles of another cut come to the film's times: breaks, scenes more or fewer, other frame rates."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from sayso.alignment import fit_clock, place_lines
from sayso.alignment.clock import Clock, OffsetPiece
from sayso.alignment.pieces import fit_pieces
from sayso.core.types import Caption, Span
from sayso.systems.align_script import AlignOptions, run

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "other_cuts.py"
SPEC = importlib.util.spec_from_file_location("other_cuts", BENCHMARK)
other_cuts = importlib.util.module_from_spec(SPEC)
sys.modules["other_cuts"] = other_cuts
SPEC.loader.exec_module(other_cuts)


@pytest.mark.parametrize("kind", other_cuts.KINDS)
def test_lines_of_drawn_cuts_come_to_their_place(kind):
    drawn = [other_cuts.draw_cut(seed, kind, lines=250) for seed in (100, 101)]
    found = [other_cuts.place(cut) for cut in drawn]
    off = np.concatenate([one.off for one in found])
    assert (off > 1).sum() == 0
    assert np.median(off) < 0.3
    assert sum(one.untimed for one in found) <= 4
    assert sum(one.invented for one in found) <= 0.05 * sum(one.lacking for one in found)


def test_few_wrong_points_make_no_piece_and_many_right_ones_do():
    x = np.arange(100.0)
    offsets = np.zeros(100)
    offsets[40:44] = 30
    assert [piece[2] for piece in fit_pieces(x, offsets).pieces] == [0.0]
    offsets[40:60] = 30
    assert fit_pieces(x, offsets).pieces == ((0, 39, 0.0), (40, 59, 30.0), (60, 99, 0.0))


def test_lines_that_the_film_lacks_stand_at_the_cut_and_a_line_over_the_break_keeps_both_its_ends():
    clock = Clock(pieces=(OffsetPiece(-np.inf, 0, 100, 0.0), OffsetPiece(150, 200, 300, -100.0)))
    assert [clock.film_time(time) for time in (50, 120, 180, 250)] == [50, 100, 100, 150]
    assert [clock.span(span) for span in (Span(99, 201), Span(100, 150.5))] == [Span(99, 101), Span(100, 100)]


WORDS = "bread water stone light grass river cloud winter candle garden letter window".split()  # noqa: SIM905


def _lines(times, numbers):
    text = [" ".join(WORDS[(7 * n + 5 * k * n + k) % 12] + str(n) for k in range(5)) for n in numbers]
    return [Caption(Span(t, t + 3), line) for t, line in zip(times, text, strict=True)]


def test_two_lines_between_two_breaks_are_found_and_lines_that_the_film_lacks_get_no_time():
    film = _lines(np.arange(60) * 10.0, range(60))
    shift = np.where(np.arange(60) < 30, 0.0, np.where(np.arange(60) < 32, 100.0, 250.0))
    copy = _lines(np.arange(60) * 10.0 + shift, range(60))
    extra = _lines([299.0 + 20 * k for k in range(4)], range(100, 104))  # in the first break
    placed = place_lines([*copy, *extra], film, fit_clock([*copy, *extra], film))
    assert [line.text for line in placed.captions] == [line.text for line in film]
    assert max(abs(a.span.start - b.span.start) for a, b in zip(placed.captions, film, strict=True)) < 1e-6
    assert list(placed.left_out) == extra


def test_long_lines_that_are_late_are_no_piece_of_their_own():
    film = _lines(np.arange(60) * 10.0, range(60))
    film = [Caption(line.span, f"{line.text} {line.text[::-1]}") for line in film]  # ten words a line
    late = np.zeros(60)
    late[29:33] = -0.5, 0.65, 0.65, -0.5
    copy = [Caption(Span(c.span.start + d, c.span.end + d), c.text) for c, d in zip(film, late, strict=True)]
    clock = fit_clock(copy, film)
    assert len(clock.pieces) == 1
    placed = place_lines(copy, film, clock).captions
    assert max(abs(a.span.start - b.span.start) for a, b in zip(placed, film, strict=True)) < 0.7


def test_a_reference_of_a_part_of_the_film_leaves_no_line_out():
    film = _lines(np.arange(60) * 10.0, range(60))
    copy = _lines(np.arange(60) * 10.0 + 7, range(60))
    part = [*film[10:20], *film[40:50]]
    placed = place_lines(copy, part, fit_clock(copy, part))
    assert [line.span for line in placed.captions] == [line.span for line in film]
    assert not placed.left_out


def test_a_reference_whose_times_make_no_sense_is_said(tmp_path):
    rng = np.random.default_rng(0)
    lines = [" ".join("".join(rng.choice(list("bdfgklmnprst"), 6)) for _ in range(3)) for _ in range(60)]
    starts = 10.0 * np.arange(60)
    wrong = np.cumsum(rng.uniform(4, 60, 60))
    for name, times in (("film.srt", starts), ("ref.srt", wrong)):
        cues = (
            f"{n + 1}\n{_clock(t)} --> {_clock(t + 3)}\n{line}\n\n"
            for n, (t, line) in enumerate(zip(times, lines, strict=True))
        )
        (tmp_path / name).write_text("".join(cues))
    (tmp_path / "film.txt").write_text("".join(f"BOB: {line}\n" for line in lines))
    result = run(tmp_path / "film.txt", tmp_path / "film.srt", AlignOptions(reference=tmp_path / "ref.srt"))
    clock = fit_clock(*(_read(tmp_path / name) for name in ("film.srt", "ref.srt")))
    assert (clock.error_s > 1) == (len(result.failures) == 1)
    assert clock.error_s > 1
    assert "the times still differ" in result.failures[0].error


def _read(path):
    from sayso.text import read_caption_file

    return read_caption_file(path).captions


def _clock(time):
    return f"{int(time // 3600):02}:{int(time // 60 % 60):02}:{time % 60:06.3f}".replace(".", ",")
