"""A library made searchable by what is said: how fast `sayso index --listen` goes, and what a search takes.

    OMP_NUM_THREADS=1 python benchmarks/listen.py [--steps taxonomy.csv] [--files 30] [--json FILE] [MEDIA...]

Files of sound are drawn: sentences by espeak-ng, some a file, with pauses. The commands run as a person runs
them, loading included; ``x real time`` is seconds of sound a second. Every sentence is then looked for by its
own words, in one process that has the index open: how long that takes, and whether the moment found first
lies where it is spoken. MEDIA are files or folders of one's own, which are listened to in a copy.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from results import Report, json_option

from sayso.core.errors import MediaError
from sayso.index import Index
from sayso.media.sound import NoSound, probe_sound
from speech import SENTENCES, Spoken, interval, speak, spoken_sets

EACH = 8


def timed(*words: object) -> tuple[float, float]:
    """Run ``sayso`` and return its wall and CPU seconds, its processes' included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    command = [sys.executable, "-m", "sayso", *map(str, words), "--progress", "off"]
    env = os.environ | {"SAYSO_OFFLINE": "1"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
    wall = time.perf_counter() - began
    if done.returncode not in (0, 3):  # 3: some files cannot be read
        sys.exit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def draw(folder: Path, steps: Path | None, files: int) -> list[Spoken]:
    """Speak sentences into files, eight each."""
    sets = spoken_sets(steps, range(1 + files * EACH // SENTENCES))
    said = list(dict.fromkeys(sentence for one in sets for sentence in one))
    starts = range(0, min(len(said), files * EACH), EACH)
    return [speak(said[k : k + EACH], folder / f"{k:04}.wav") for k in starts]


def sound_of(folder: Path) -> tuple[int, float]:
    """Return how many files of a folder have sound, and how many seconds of it."""
    lengths = []
    for path in folder.rglob("*"):
        try:
            lengths.append(probe_sound(path).seconds or 0.0)
        except (NoSound, MediaError, OSError):
            continue
    return len(lengths), sum(lengths)


def measure_index(report: Report, named: str, library: Path, index: Path) -> None:
    """Print what listening and indexing take, first and again."""
    count, seconds = sound_of(library)
    for title, wanted in (("first", True), ("again, nothing new", False)):
        wall, cpu = timed("index", index, library, "--model", "offline", "--listen")
        rate = f"{seconds / wall:.1f} / {seconds / cpu:.1f}" if wanted else ""
        report.row(f"{named}: {title}", count, f"{seconds:.0f}", f"{wall:.1f} / {cpu:.1f}", rate)


def measure_search(report: Report, index: Path, files: Sequence[Spoken]) -> None:
    """Print how long searches take, and what they find first."""
    opened = Index.open(str(index), "offline")
    opened.search("once, as loading is not a search")
    took, found = [], []
    for file in files:
        ends = [*file.starts[1:], file.seconds]
        for sentence, start, end in zip(file.sentences, file.starts, ends, strict=True):
            began = time.perf_counter(), time.process_time()
            hits = opened.search(sentence)
            took.append((time.perf_counter() - began[0], time.process_time() - began[1]))
            found.append(
                bool(hits)
                and Path(hits[0].path).name == file.path.name
                and hits[0].start_s < end
                and hits[0].end_s > start
            )
    wall, cpu = np.array(took).T * 1000
    report.table("searching for what is said", ("what", "value"))
    report.row("clips in the index", opened.store.clips.count_rows())
    report.row("queries", len(found))
    report.row("p50 / p95, ms", f"{np.median(wall):.0f} / {np.quantile(wall, 0.95):.0f}")
    report.row("p50 / p95, CPU ms", f"{np.median(cpu):.0f} / {np.quantile(cpu, 0.95):.0f}")
    first = np.array(found)
    report.row("found first, where it is said", interval(len(first), lambda k: float(first[k].mean())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("media", nargs="*", type=Path, metavar="MEDIA")
    parser.add_argument("--steps", type=Path, help="a CSV with a column step")
    parser.add_argument("--files", type=int, default=30)
    json_option(parser)
    asked = parser.parse_args()
    report = Report("listen", asked)
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        (folder / "drawn").mkdir()
        files = draw(folder / "drawn", asked.steps, asked.files)
        columns = ("library", "with sound", "seconds of it", "s, wall / CPU", "x real time, wall / CPU")
        report.table("sayso index --listen", columns)
        measure_index(report, "drawn speech", folder / "drawn", folder / "drawn.index")
        if asked.media:
            (folder / "own").mkdir()
            for path in asked.media:
                copy = shutil.copytree if path.is_dir() else shutil.copy
                copy(path, folder / "own" / path.name)
            measure_index(report, "own files", folder / "own", folder / "own.index")
        measure_search(report, folder / "drawn.index", files)
    report.close()


if __name__ == "__main__":
    main()
