"""How far subtitles of another cut are off once a reference has corrected them, on drawn cuts.

    python benchmarks/other_cuts.py [--seeds 20] [--first 0]

A film's lines are drawn from seeds; its subtitles are those of a copy at another frame rate with breaks, or
with scenes more or fewer, or censored, or with breaks two or three lines apart; its times jitter (by 0.7 s at
most), its words differ. Printed for each kind: the share of lines more than 1 s off, pooled over the seeds,
with a 95 % bootstrap interval over films; the median error; films with any such line; the share of the film's
lines that got no time, and of the lines that the film lacks the share that got one.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import numpy as np

from sayso.alignment import fit_clock, place_lines
from sayso.core.types import Caption, Span

RATES = (1.0, 24 / 25, 23.976 / 25, 25 / 24, 25 / 23.976)
KINDS = ("television", "extended", "shortened", "censored", "close")
SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "el", "or")]
COMMON = "the a I you it to and of in that is not we he she was for on no yes".split()  # noqa: SIM905


@dataclass(frozen=True)
class Cut:
    """A copy's subtitles; the reference; where each line of the subtitles truly is, None if nowhere."""

    captions: list[Caption]
    reference: list[Caption]
    truth: list[float | None]


def draw_cut(seed: int, kind: str, lines: int = 600) -> Cut:
    """Draw a film and another cut of it."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    rate = RATES[rng.integers(len(RATES))]
    film = _draw_film(rng, lines)
    jitter, swapped = rng.choice([0.0, 0.1, 0.25]), rng.choice([0.0, 0.05, 0.15])
    starts = sorted(int(n) for n in rng.choice(np.arange(20, lines - 40), rng.integers(1, 7), replace=False))
    if kind == "close":  # two or three lines between two breaks
        starts = sorted({n + k for n in starts for k in (0, int(rng.integers(2, 4)))})
    captions: list[Caption] = []
    truth: list[float | None] = []
    lost: set[int] = set()
    shift = float(rng.uniform(-15, 15))
    for number, line in enumerate(film):
        if number in starts and number not in lost:
            length = int(rng.integers(3, 25)) if kind != "censored" else int(rng.integers(1, 4))
            if kind in ("television", "close"):
                shift += float(rng.uniform(15, 240))
            elif kind == "extended":  # the copy has a scene that the film lacks
                begin, extra = line.span.start + shift, _draw_film(rng, length)
                captions += [_at(c, begin, 1.0) for c in extra]
                truth += [None] * len(extra)
                shift += extra[-1].span.end + 2.0
            else:  # the copy lacks what the film has
                lost |= set(range(number, number + length))
                end = film[min(number + length, lines - 1)].span.start
                shift -= end - line.span.start
        if number in lost:
            continue
        captions.append(
            _at(_reword(line, rng, swapped), shift + float(np.clip(rng.normal(0, jitter), -0.7, 0.7)), 1.0)
        )
        truth.append(line.span.start)
    kept = [(_at(c, 20.0, rate), true) for c, true in zip(captions, truth, strict=True) if c.span.start > -20]
    return Cut([c for c, _ in kept], film, [true for _, true in kept])


@dataclass(frozen=True)
class Outcome:
    """How far off each line is that the film has and that got a time, in seconds; how many got none.

    ``invented`` counts the lines that the film lacks and that got a time; ``lacking`` all that it lacks.
    """

    off: np.ndarray
    untimed: int
    invented: int
    lacking: int


def place(cut: Cut) -> Outcome:
    """Place the lines of a cut."""
    numbered = [replace(line, speaker=str(n)) for n, line in enumerate(cut.captions)]
    placed = place_lines(numbered, cut.reference, fit_clock(numbered, cut.reference))
    times = {int(one.speaker or 0): one.span.start for one in placed.captions}
    known = {n: true for n, true in enumerate(cut.truth) if true is not None}
    off = np.abs([time - known[n] for n, time in times.items() if n in known])
    invented = len(times.keys() - known.keys())
    return Outcome(off, len(known) - len(off), invented, len(cut.truth) - len(known))


def _draw_film(rng: np.random.Generator, lines: int) -> list[Caption]:
    time, film = 5.0, []
    for _ in range(lines):
        time += float(rng.choice([0.1, 0.5, 1.5, 6.0, 20.0], p=[0.3, 0.3, 0.25, 0.1, 0.05]))
        words = [_word(rng) for _ in range(rng.integers(1, 11))]
        length = 0.6 + 0.3 * len(words)
        film.append(Caption(Span(time, time + length), " ".join(words)))
        time += length
    return film


def _word(rng: np.random.Generator) -> str:
    if rng.random() < 0.5:
        return str(rng.choice(COMMON))
    return "".join(rng.choice(SYLLABLES, 2))


def _reword(line: Caption, rng: np.random.Generator, share: float) -> Caption:
    words = [_word(rng) if rng.random() < share else word for word in line.text.split()]
    return Caption(line.span, " ".join(words))


def _at(caption: Caption, shift: float, rate: float) -> Caption:
    return Caption(Span((caption.span.start + shift) / rate, (caption.span.end + shift) / rate), caption.text)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    seeds = options.seeds
    print(
        f"{'kind':12} {'> 1 s, %':>9} {'95 %':>14} {'median s':>9} {'films with any':>15} "
        f"{'no time, %':>11} {'invented':>14}"
    )
    for kind in KINDS:
        found = [place(draw_cut(seed, kind)) for seed in range(options.first, options.first + seeds)]
        off = np.array([[(one.off > 1).sum(), len(one.off)] for one in found])
        picks = np.random.default_rng(0).integers(seeds, size=(2000, seeds))
        shares = 100 * off[picks, 0].sum(1) / off[picks, 1].sum(1)
        low, high = np.percentile(shares, [2.5, 97.5])
        share, any_ = 100 * off[:, 0].sum() / off[:, 1].sum(), f"{(off[:, 0] > 0).sum()} of {seeds}"
        untimed = sum(one.untimed for one in found)
        invented = f"{sum(one.invented for one in found)} of {sum(one.lacking for one in found)}"
        middle = np.median(np.concatenate([one.off for one in found]))
        print(
            f"{kind:12} {share:9.3f} {f'{low:.3f}-{high:.3f}':>14} {middle:9.3f} {any_:>15} "
            f"{100 * untimed / (untimed + off[:, 1].sum()):11.3f} {invented:>14}",
            flush=True,
        )


if __name__ == "__main__":
    main()
