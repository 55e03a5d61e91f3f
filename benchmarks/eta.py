"""How right the time is that `sayso index` says is left: an hour of film among 132 pictures.

    python benchmarks/eta.py DATA --work FOLDER [--minutes 60]

DATA holds ``coco/images/`` and ``coco_more/images/``. The film is that of ``large_library.py``, 1080p.
Each report of ``--progress json`` is kept with the second at which it came. Printed is by how much the end
that it foretold differs from the true one, of the whole time, a tenth of the run after the other, and how
many cores other programs had meanwhile (Linux). Asked: 30 %; exit 1 if not. A machine that becomes busy or
idle meanwhile cannot be foretold.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import large_library
import numpy as np
from numpy.typing import NDArray

PICTURES, PART_S, WITHIN = 132, 60, 0.3


def draw(work: Path, data: Path, minutes: int) -> Path:
    """Return the folder of the library, made if it is not there."""
    library = work / f"library-{minutes}"
    if not library.is_dir():
        large_library.PICTURES = PICTURES
        pictures = large_library.photographs(data)
        waiting = work / "making"
        shutil.rmtree(waiting, ignore_errors=True)
        waiting.mkdir(parents=True)
        large_library.write_part(work / "part.mp4", pictures, PART_S)
        large_library.repeat(work / "part.mp4", waiting / "film.mp4", minutes * 60 // PART_S)
        large_library.write_pictures(waiting / "pictures", pictures)
        waiting.rename(library)
    return library


def others_s(pid: int) -> float:
    """Return how many core-seconds all programs but one have had since the machine began; NaN if unknown."""
    try:
        user, nice, system = map(int, Path("/proc/stat").read_text().split()[1:4])
        own = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    except OSError:
        return float("nan")
    return (user + nice + system - own) / os.sysconf("SC_CLK_TCK")


def reports(library: Path, index: Path) -> tuple[NDArray[np.float64], float]:
    """Index it; return second, time left and ``others_s`` of each report (N, 3), and the whole time."""
    shutil.rmtree(index, ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "sayso",
        "index",
        str(index),
        str(library),
        "--progress",
        "json",
        "-m",
        "offline",
    ]
    began, said = time.monotonic(), []
    env = {**os.environ, "SAYSO_OFFLINE": "1"}
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=env
    ) as run:
        for line in run.stderr or ():
            at = time.monotonic() - began
            if line.startswith("{") and (left := json.loads(line).get("eta_s")) is not None:
                said.append((at, left, others_s(run.pid)))
    if run.returncode:
        raise SystemExit(f"sayso index ended with {run.returncode}")
    return np.array(said), time.monotonic() - began


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=int, default=60)
    given = parser.parse_args()
    said, whole = reports(draw(given.work, given.data, given.minutes), given.work / "eta.index")
    share, off = said[:, 0] / whole, (said[:, 0] + said[:, 1] - whole) / whole
    print(f"{whole:.0f} s in all, {len(said)} reports, the first after {said[0, 0]:.0f} s\n")
    print("| of the run | reports | foretold minus true: least | most | cores of others |")
    print("| --- | --: | --: | --: | --: |")
    for tenth in range(10):
        within = (share >= tenth / 10) & (share < (tenth + 1) / 10)
        if within.any():
            held, span = off[within], said[within][[0, -1]]
            cores = (span[1, 2] - span[0, 2]) / max(span[1, 0] - span[0, 0], 1e-9)
            row = f"{len(held)} | {held.min():+.2f} | {held.max():+.2f} | {cores:.1f}"
            print(f"| {tenth}0 to {tenth + 1}0 % | {row} |")
    return int(np.abs(off).max() > WITHIN)


if __name__ == "__main__":
    sys.exit(main())
