"""Stage 2 of step discovery as videos get longer: seconds an iteration; and toy videos to look at.

    OMP_NUM_THREADS=1 python benchmarks/instruction_steps.py [--rows 10000 100000 1000000]
    python benchmarks/instruction_steps.py --draw FOLDER                 # thirty narrated toy videos

Random features, 256 numbers a row, 15 steps, videos of 500 rows, windows of 60. How well steps are found is
measured by ``sayso evaluate step-discovery``, ``toy-step-names`` and ``step-names``.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np

from sayso.core.types import Caption
from sayso.solvers import Diffrac, frank_wolfe
from sayso.solvers.ordered_oracle import OrderedOracle
from sayso.text import write_vtt
from sayso.toyworld import render
from sayso.toyworld.tasks import VIDEOS, task_video
from sayso.toyworld.write import write_video


def scale(sizes: list[int], dim: int = 256, K: int = 15, T: int = 500) -> None:
    for rows in sizes:
        draws = np.random.default_rng(0)
        X = [draws.standard_normal((T, dim), dtype=np.float32) for _ in range(rows // T)]
        starts = np.linspace(0, T - 60, K).astype(np.int64)
        oracles = [OrderedOracle(T, K, np.column_stack([starts, starts + 60])) for _ in X]
        began = time.perf_counter()
        problem = Diffrac(X, 1 / (len(X) * K))
        setup = time.perf_counter() - began
        each = iteration_s(problem, oracles)
        print(
            f"{rows:8} rows: setup {setup:6.2f} s, {each:7.3f} s an iteration,"
            f" {each / rows * 1e6:.2f} us a row, peak {peak_mib():.0f} MiB"
        )


def iteration_s(problem: Diffrac, oracles: list[OrderedOracle]) -> float:
    """Return the median seconds of an iteration of Frank-Wolfe, the first left out."""
    times: list[float] = []
    frank_wolfe(problem, oracles, tol=0, max_iter=6, callback=lambda *_: times.append(time.perf_counter()))
    return float(np.median(np.diff(times[1:])))


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def draw(folder: Path, videos: int = VIDEOS, size: int = 160, fps: int = 10) -> None:
    """Write videos of a toy task with captions beside them, for ``sayso steps FOLDER``."""
    folder.mkdir(parents=True)
    for n in range(videos):
        video = task_video(0, 0, n)
        path = folder / f"video-{n + 1:02}.mp4"
        write_video(path, render(video, size=size, fps=fps), fps)
        captions = [Caption(line.span, line.text) for line in video.lines]
        path.with_suffix(".vtt").write_text(write_vtt(captions), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--draw", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    if asked.draw:
        draw(asked.draw)
    else:
        scale(asked.rows)


if __name__ == "__main__":
    main()
