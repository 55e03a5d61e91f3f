"""Time a stranger's paths: from ``git clone`` to a first answer, a first trained model, a first table.

    python scripts/time_paths.py --out FOLDER [--media FOLDER]

FOLDER is new: a clone, an environment of its own, an index and runs go there. Packages come from where
pip is set up to get them. Printed are minutes by the clock, and of CPU, which other work on the machine
does not change as much. Each row is kept in FOLDER/times.json as soon as it is measured: the same command
goes on after a run that was cut short, and begins the path again in which it was.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
INSTALL = (
    "git clone --quiet {root} sayso",
    "{python} -m venv env",
    "env/bin/pip install --quiet --constraint sayso/constraints.txt './sayso[offline,serve,train]'",
)
PATHS = {
    "set up: clone, environment, packages": INSTALL,
    "first answer on own files": (
        "env/bin/sayso index my.index {media} --model offline --progress off",
        "env/bin/sayso search my.index 'a red cup' --limit 3",
    ),
    "first trained model": (
        "env/bin/sayso sample my.sample --progress off",
        "env/bin/sayso train howto100m my.sample/howto --out runs/mine --progress off"
        " --set steps=200 --set batch_size=16 --set per_video=2 --set dim=256 --set backbone=offline",
        "env/bin/sayso index mine.index my.sample/howto --model runs/mine --progress off",
    ),
    "first reproduced table": ("env/bin/sayso evaluate step-discovery --progress off",),
}

MADE = dict(
    zip(PATHS, (("sayso", "env"), ("my.index",), ("my.sample", "runs", "mine.index"), ()), strict=True)
)
"""What a path leaves in the folder."""


def minutes(commands: tuple[str, ...], folder: Path, media: Path) -> tuple[float, float]:
    """Run commands in a folder; return minutes by the clock and of CPU.

    Args:
        commands: one that fails ends the program.
        folder: where they run.
        media: the person's own files.
    """
    began, cpu = time.monotonic(), _children()
    for command in commands:
        line = command.format(root=ROOT, media=media, python=sys.executable)
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        words = shlex.split(line)
        done = subprocess.run(words, cwd=folder, env=environment | {"SAYSO_OFFLINE": "1"}, check=False)
        if done.returncode not in (0, 3):
            sys.exit(f"{line}: ended with {done.returncode}")
    return (time.monotonic() - began) / 60, (_children() - cpu) / 60


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run all paths and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--media", type=Path, help="pictures and videos; unless given, the pictures in docs")
    options = parser.parse_args()
    kept = options.out / "times.json"
    if options.out.exists() and any(options.out.iterdir()) and not kept.exists():
        sys.exit(f"{options.out} holds something else; name a new folder")
    options.out.mkdir(parents=True, exist_ok=True)
    rows = json.loads(kept.read_text()) if kept.exists() else {}
    kept.write_text(json.dumps(rows))
    media = options.media.absolute() if options.media else Path("sayso/docs")
    print("| from the one before to | minutes | of CPU | load before |", flush=True)
    print("| --- | --: | --: | --: |", flush=True)
    for name, commands in PATHS.items():
        if name not in rows:
            for made in MADE[name]:
                shutil.rmtree(options.out / made, ignore_errors=True)
            load = os.getloadavg()[0]
            rows[name] = [*minutes(commands, options.out, media), load]
            kept.write_text(json.dumps(rows))
        clock, cpu, load = rows[name]
        print(f"| {name} | {clock:.1f} | {cpu:.1f} | {load:.0f} of {os.cpu_count()} cores |", flush=True)


if __name__ == "__main__":
    main()
