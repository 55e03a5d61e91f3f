"""Curves over a logarithmic axis, as an SVG that is legible on light and on dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 56, 150, 16, 46
COLOURS = ("#d8501f", "#2a7fb8", "#4f9d45", "#8a63b5")
STYLE = """<style>text{font:13px sans-serif;fill:#333}.axis{stroke:#999}.grid{stroke:#ddd}
@media (prefers-color-scheme:dark){text{fill:#ccc}.axis{stroke:#777}.grid{stroke:#444}}</style>"""


@dataclass(frozen=True)
class Curve:
    """What was measured, (seeds, sizes), and what it is called."""

    name: str
    rows: np.ndarray


def draw_curves(sizes: Sequence[int], curves: Sequence[Curve], across: str, up: str) -> str:
    """Return means with their standard deviations over seeds, and a dot a seed.

    Args:
        sizes: of the horizontal axis, which is logarithmic.
        curves: each (seeds, sizes), from 0 up.
        across: what the sizes are.
        up: what is measured.
    """
    most = max(float(curve.rows.max()) for curve in curves) * 1.1
    low, high = np.log2(min(sizes)), np.log2(max(sizes))
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT

    def x(size: float) -> float:
        return LEFT + 20 + (right - LEFT - 40) * (np.log2(size) - low) / max(high - low, 1e-9)

    def y(value: float) -> float:
        return bottom - (bottom - TOP) * value / most

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">', STYLE]
    parts.append(f"<title>{escape(up)} by {escape(across)}</title>")
    step = next(one for one in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200) if most / one <= 7)
    for mark in np.arange(0, most, step):
        parts.append(f'<path class="grid" d="M{LEFT} {y(mark):.1f}H{right}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(mark) + 4:.1f}" text-anchor="end">{mark:g}</text>')
    for size in sizes:
        parts.append(f'<path class="axis" d="M{x(size):.1f} {bottom}v5"/>')
        parts.append(f'<text x="{x(size):.1f}" y="{bottom + 20}" text-anchor="middle">{size:,}</text>')
    middle = (LEFT + right) / 2
    parts.append(f'<path class="axis" d="M{LEFT} {bottom}H{right}"/>')
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(across)}</text>')
    for colour, curve in zip(COLOURS, curves, strict=False):
        means = curve.rows.mean(0)
        spread = curve.rows.std(0, ddof=1) if len(curve.rows) > 1 else np.zeros(len(sizes))
        points = " ".join(f"{x(size):.1f},{y(mean):.1f}" for size, mean in zip(sizes, means, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for k, size in enumerate(sizes):
            bar = f"M{x(size):.1f} {y(means[k] - spread[k]):.1f}V{y(means[k] + spread[k]):.1f}"
            parts.append(f'<path d="{bar}" stroke="{colour}"/>')
            parts += [
                f'<circle cx="{x(size):.1f}" cy="{y(value):.1f}" r="2.5" fill="{colour}" opacity=".6"/>'
                for value in curve.rows[:, k]
            ]
        parts.append(f'<text x="{right + 4}" y="{y(means[-1]) + 4:.1f}">{escape(curve.name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
