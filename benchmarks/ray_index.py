r"""An hour of video indexed on a Ray cluster of this machine's cores, next to ``sayso index`` without one.

    OMP_NUM_THREADS=1 python benchmarks/ray_index.py                   # 12 films of 5 minutes, 2 turns
    OMP_NUM_THREADS=1 python benchmarks/ray_index.py --turns 1 --minutes 1 --films 4

Both are the command in a process of its own, Ray's start and the loading of models included, and take turns;
then two drivers at once work on one new index. Every index must hold the same rows, bit for bit. The limit is
1.25 times the time without Ray, and 20 s more; commits are those that add clips, at most one a shard and two.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
from results import Report, json_option

from sayso.index.live import is_whole
from sayso.index.shards import ShardFolder
from sayso.index.store import Store

WIDTH, HEIGHT, RATE, FACTOR, MORE_S = 320, 180, 10, 1.25, 20.0
COLUMNS = ("index", "s", "clips", "vectors that differ", "commits")


def draw(path: Path, seed: int, minutes: float) -> None:
    """Write a film: a texture that drifts, and another one every ten seconds."""
    rng = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for k in range(round(minutes * 60 * RATE)):
            if k % (10 * RATE) == 0:
                coarse = rng.integers(0, 255, (HEIGHT // 10, WIDTH // 5, 3), np.uint8)
                scene = np.kron(coarse, np.ones((10, 10, 1), np.uint8))
            x = (2 * k) % WIDTH
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(scene[:, x : x + WIDTH]), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def begin(address: Path, films: Path, model: str, *, on_ray: bool) -> subprocess.Popen[bytes]:
    """Start the command."""
    words = [sys.executable, "-m", "sayso", "index", str(address), str(films), "--model", model]
    words += ["--progress", "off", *(["--engine", "ray"] if on_ray else [])]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL)


def seconds(*drivers: Callable[[], subprocess.Popen[bytes]]) -> float:
    """Return how long commands take that begin together."""
    began = time.perf_counter()
    for process in [driver() for driver in drivers]:
        if process.wait():
            raise SystemExit("a command failed")
    return time.perf_counter() - began


def rows(address: Path) -> pa.Table:
    """Return all clips, vectors too, in the order of their ids."""
    store = Store(address)
    if not is_whole(store) or ShardFolder(store).ids():
        raise SystemExit(f"{address} is not whole")
    return store.clips.to_arrow().sort_by("id").combine_chunks()


def differing(found: pa.Table, expected: pa.Table) -> int:
    """Return how many vectors are other ones to the last bit; all else must be the same."""
    if not found.drop_columns("vector").equals(expected.drop_columns("vector")):
        raise SystemExit("two indexes hold other rows")
    ours, theirs = (table.column("vector").combine_chunks().flatten() for table in (found, expected))
    wrong = np.asarray(ours) != np.asarray(theirs)
    return int(wrong.reshape(len(found), -1).any(1).sum())


def commits(address: Path) -> int:
    """Return how many commits added clips."""
    table = Store(address).clips.to_lance()
    named = [table.read_transaction(one["version"]) for one in table.versions()]
    return sum(type(one.operation).__name__ == "Append" for one in named if one is not None)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=5, help="of each film")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--model", default="offline")
    json_option(parser)
    options = parser.parse_args()
    report = Report("ray_index", options)
    with tempfile.TemporaryDirectory() as name:
        films = Path(name, "films")
        films.mkdir()
        for number in range(options.films):
            draw(films / f"{number}.mp4", number, options.minutes)
        compare(report, Path(name), films, options)
    report.close()


def compare(report: Report, folder: Path, films: Path, options: argparse.Namespace) -> None:
    """Index the films both ways in turns, then by two drivers at once, and print what it took."""
    took: dict[bool, list[float]] = {False: [], True: []}
    added, expected = [], None
    report.table(f"{options.films} films of {options.minutes:g} minutes", COLUMNS)
    for turn in range(options.turns + 1):
        last = turn == options.turns
        for on_ray in (False, True) if turn % 2 == 0 and not last else (True, False) if not last else (True,):
            address = folder / f"{turn}-{on_ray}.index"

            def driver(address: Path = address, on_ray: bool = on_ray) -> subprocess.Popen[bytes]:
                return begin(address, films, options.model, on_ray=on_ray)

            spent = seconds(driver, driver) if last else seconds(driver)
            found = rows(address)
            expected = found if expected is None else expected
            way = "two drivers at once, by Ray" if last else "by Ray" if on_ray else "in process"
            report.row(way, f"{spent:.1f}", len(found), differing(found, expected), commits(address))
            if not last:
                took[on_ray].append(spent)
            if on_ray:
                added.append(commits(address))
    here, there = np.median(took[False]), np.median(took[True])
    limit = FACTOR * here + MORE_S
    report.table(
        "wall time", ("in process, s", "by Ray, s", "ratio", f"{FACTOR} x + {MORE_S:.0f} s", "within")
    )
    within = "yes" if there <= limit and max(added) <= options.films + 2 else "no"
    report.row(f"{here:.1f}", f"{there:.1f}", f"{there / here:.2f}", f"{limit:.1f}", within)


if __name__ == "__main__":
    main()
