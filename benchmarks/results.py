"""What a benchmark measured, as a table on the screen and as JSON for ``scripts/benchmark_report.py``.

Every record says the commit, the machine, the load when it began, and how many cores were busy with other
processes meanwhile (where /proc/stat tells), so that a run beside a busy neighbour can be told.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = ("numpy", "numba", "torch", "scipy", "highspy", "lancedb", "rapidfuzz", "cvxpy", "onnxruntime")


class Report:
    """Tables of one run.

    Args:
        name: the benchmark's.
        options: the parsed command line, with ``json``: a file to write, or None.
        command: the script and its options; by default those of this program.

    Attributes:
        text: what was printed, where it is no tables.
    """

    def __init__(self, name: str, options: argparse.Namespace, command: Sequence[str] | None = None) -> None:
        self.name, self.options, self.text = name, options, ""
        self.command = command or [Path(sys.argv[0]).name, *_without_json(sys.argv[1:])]
        self.tables: list[dict[str, Any]] = []
        self.load = os.getloadavg()
        self._began, self._busy, self._own = time.perf_counter(), _busy_seconds(), _own_seconds()

    def table(self, title: str, columns: Sequence[str]) -> None:
        """Begin a table; its first row is printed at once."""
        self.tables.append({"title": title, "columns": list(columns), "rows": []})
        rule = " | ".join(["---", *["--:"] * (len(columns) - 1)])
        print(f"\n{title}\n\n| {' | '.join(columns)} |\n| {rule} |")

    def row(self, *cells: object) -> None:
        """Print a row of the last table, and keep it."""
        texts = [str(cell) for cell in cells]
        self.tables[-1]["rows"].append(texts)
        print(f"| {' | '.join(texts)} |", flush=True)

    def close(self) -> None:
        """Print how busy the neighbours were, and write the JSON if it was asked for."""
        record = self.record()
        others = record["others_cores"]
        print(f"\nload {self.load[0]:.1f} at the start; other processes kept "
              f"{'an unknown number of' if others is None else f'{others:.2f}'} cores busy")  # fmt: skip
        if self.options.json:
            self.options.json.write_text(json.dumps(record, indent=1) + "\n")

    def record(self) -> dict[str, Any]:
        """Return what is written."""
        seconds, busy = time.perf_counter() - self._began, _busy_seconds()
        others = None
        if busy is not None and self._busy is not None:
            others = max(0.0, (busy - self._busy - (_own_seconds() - self._own)) / seconds)
        return {
            "benchmark": self.name,
            "command": f"python benchmarks/{' '.join(self.command)}",
            "date": time.strftime("%Y-%m-%d"),
            "commit": _git("rev-parse", "--short=10", "HEAD"),
            "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
            "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "python": platform.python_version()},
            "threads": os.environ.get("OMP_NUM_THREADS", "as the machine has"),
            "packages": {name: found for name in PACKAGES if (found := _version(name))},
            "seconds": round(seconds, 1),
            "load": [round(value, 2) for value in self.load],
            "others_cores": others,
            "tables": self.tables,
            **({"text": self.text} if self.text else {}),
        }


def least_in_turns(runs: Sequence[Any], seconds: float = 2.0, rounds: int = 10_000) -> list[float]:
    """Return the least CPU milliseconds of this thread for each of some functions, which take turns.

    Args:
        runs: functions without arguments.
        seconds: how long to go on, in all.
        rounds: how many rounds at most.
    """
    least = [float("inf")] * len(runs)
    until = time.perf_counter() + seconds
    for turn in range(rounds):
        for way, run in enumerate(runs):
            began = time.thread_time_ns()
            run()
            least[way] = min(least[way], (time.thread_time_ns() - began) / 1e6)
        if turn >= 2 and time.perf_counter() > until:
            break
    return least


def json_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--json FILE``."""
    parser.add_argument(
        "--json", type=Path, help="also write what was measured, for scripts/benchmark_report.py"
    )


def _without_json(arguments: list[str]) -> list[str]:
    kept = [word for word in arguments if not word.startswith("--json=")]
    if "--json" in kept:
        at = kept.index("--json")
        del kept[at : at + 2]
    return kept


def _busy_seconds() -> float | None:
    """Return the seconds that all cores together were busy since the machine started."""
    try:
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    except (OSError, ValueError):
        return None
    user, nice, system, _idle, _wait, irq, soft, steal = fields[:8]
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def without_numba(module: ModuleType, run: Callable[[], Any]) -> Callable[[], Any]:
    """Return a function as it runs where numba is missing; ``module`` asks ``worth_compiling``."""

    def reference() -> Any:
        kept, module.worth_compiling = module.worth_compiling, lambda _: False  # type: ignore[attr-defined]
        try:
            return run()
        finally:
            module.worth_compiling = kept  # type: ignore[attr-defined]

    return reference


def _git(*words: str) -> str:
    here = Path(__file__).parent
    done = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
