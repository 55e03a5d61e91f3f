"""Everything that may go wrong, in one table: what was tried, what failed, the memory and the longest answer.

    python benchmarks/torture.py [--record FILE] [--only killed "disk full" fuzzed names] [--minutes 10]

Kill points and full disks are deterministic: every call that writes is in turn the last
(tests/kill_points.py). Damaged inputs follow from their number (tests/fuzzing.py). The other families are the
tests of the project, slow ones included, whose inputs are counted as they say. Each thing tried is a line of
the record; the same command goes on from there, tries again what failed, and prints the table of all that the
record holds. Exit 0 only if nothing failed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

TESTS = Path(__file__).resolve().parents[1] / "tests"
HERE = Path(__file__).resolve().parent
MEMORY = Path("/dev/shm")
KILLED = {"index": 2, "index-again": 2, "watch": 2, "transcribe": 3, "train": 3}
"""How many times as much is done as in the tests, so that there are 1,000 kill points."""
FILLED = {"index": 2, "index-again": 2, "train": 2}
PIECE = 2000
"""Damaged inputs that are one line of the record."""
FAMILIES = {
    "odd rows": ("index/test_fence.py", "data/test_csv_rows.py", "cli/test_broken_data.py"),
    "errors of the machine": ("cli/test_boundary.py",),
    "damaged index": ("index/test_repair.py",),
    "damaged checkpoints": (
        "engine/test_checkpoint.py",
        "core/test_arrays.py",
        "hub/test_restricted_pickle.py",
    ),
    "damaged media": ("index/test_broken.py", "media/test_fuzz.py"),
    "hostile requests": ("serve/test_fuzzed.py", "serve/test_guard.py", "serve/test_connections.py"),
    "filters": ("index/test_filter_language.py", "index/test_conditions.py"),
    "long texts": ("text/test_linear_time.py",),
    "names": ("cli/test_harmless.py",),
    "memory of pictures": ("media/test_colours.py",),
    "memory of long lines": ("data/test_json_lines.py",),
    "budget of the server": ("serve/test_budget.py",),
}
"""Fault families whose inputs are tests, by the files of these."""


PYTEST = """
import pytest, resource, sys
code = pytest.main(sys.argv[2:])
used = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
open(sys.argv[1], "w").write(str(max(used) / 1024))
sys.exit(code)
"""


@dataclass(frozen=True)
class Tried:
    """A line of the record.

    Args:
        family: a row of the table.
        unit: what of it.
        inputs: how many.
        failures: in sentences.
        peak_mb: the most memory that a process took.
        longest_s: the longest answer.
        took_s: all of it.
    """

    family: str
    unit: str
    inputs: int = 1
    failures: list[str] = field(default_factory=list)
    peak_mb: float = 0.0
    longest_s: float = 0.0
    took_s: float = 0.0


class Record:
    """What was tried, in a file that is continued.

    Args:
        path: of JSON lines.
        ends: when there is no more time, on the monotonic clock.
    """

    def __init__(self, path: Path, ends: float = float("inf")) -> None:
        self.path, self.ends, self.lock = path, ends, Lock()
        self.held: dict[tuple[str, str], Tried] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text() if path.exists() else ""
        *lines, torn = text.split("\n")
        for line in filter(None, lines):
            self._hold(Tried(**json.loads(line)))
        if torn:
            path.write_text(text.removesuffix(torn))

    def _hold(self, tried: Tried) -> None:
        self.held[tried.family, tried.unit] = tried

    def add(self, tried: Tried) -> None:
        """Note what was tried, on disk when this returns."""
        with self.lock, self.path.open("a") as file:
            file.write(json.dumps(asdict(tried)) + "\n")
            self._hold(tried)
        print(f"{tried.family} {tried.unit} {'FAILED' if tried.failures else ''}", file=sys.stderr)

    def is_over(self) -> bool:
        """Tell whether there is no more time."""
        return time.monotonic() > self.ends

    def done(self, family: str) -> set[str]:
        """Return the units of a family that went well."""
        return {unit for (of, unit), tried in self.held.items() if of == family and not tried.failures}

    def table(self) -> str:
        """Return a row a family, as Markdown."""
        rows = ["| family | inputs | failures | peak MB | longest s | took s |", "| --- |" + " --: |" * 5]
        for family in dict.fromkeys(of for of, _ in self.held):
            units = [tried for (of, _), tried in self.held.items() if of == family]
            inputs, failures = sum(one.inputs for one in units), sum(len(one.failures) for one in units)
            peak, longest = max(one.peak_mb for one in units), max(one.longest_s for one in units)
            took = sum(one.took_s for one in units)
            rows.append(f"| {family} | {inputs:,} | {failures} | {peak:,.0f} | {longest:.2f} | {took:.0f} |")
        return "\n".join(rows)


def cut_off(name: str, size: int, part: int, *, full: bool, record: Record) -> None:
    """Cut a workload off at every second write, or fill the disk there.

    Args:
        name: of the workload.
        size: how many times as much it does.
        part: 0 or 1, the first write.
        full: whether the disk is full; else it is killed.
        record: where each point is noted.
    """
    family = f"{'disk full' if full else 'killed'}: {name}"
    skip = sorted(int(unit) for unit in record.done(family) if unit.isdecimal())
    program = str(TESTS / "kill_points.py")
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        command = [sys.executable, program, folder, name, "--size", str(size), "--skip", json.dumps(skip)]
        command += ["--offset", str(part), "--step", "2", *(["--full"] if full else [])]
        for one in lines_of(command, family, record):
            wrong = [f"{family} {one['n']} {one['call']}: {one['wrong']}"] if one["wrong"] else []
            record.add(Tried(family, str(one["n"]), 1, wrong, one["peak_mb"], one["seconds"], one["seconds"]))


def lines_of(command: list[str], family: str, record: Record) -> Iterator[Any]:
    """Yield the lines of JSON that a program prints; a program that fails is a failure of its own."""
    with tempfile.TemporaryFile("w+") as errors:
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert running.stdout
        for line in running.stdout:
            yield json.loads(line)
            if record.is_over():
                running.stdout.close()  # it ends when it prints its next line
                break
        code = running.wait()
        errors.seek(0)
        wrong = [f"it ended with {code}: {errors.read()[-3000:]}"] if code and not record.is_over() else []
    if wrong or (family, "program") in record.held:
        record.add(Tried(family, "program", 0, wrong))


def fuzzed(name: str, count: int, seed: int, record: Record) -> None:
    """Give damaged inputs to a reader, in whole pieces, by a process of its own, whose memory is seen."""
    family = f"fuzzed: {name}"
    done = record.done(family)
    firsts = [first for first in range(0, count, PIECE) if f"{seed}/{first}" not in done]
    if firsts:
        given = json.dumps(firsts)
        command = [sys.executable, __file__, "--fuzz-one", name, "--pieces", given, "--seed", str(seed)]
        for one in lines_of(command, family, record):
            record.add(Tried(family, **one))


def fuzz_one(name: str, firsts: list[int], seed: int) -> None:
    """Print as JSON what came of damaged inputs, a line a piece."""
    import logging

    from mutations import damage

    from fuzzing import fuzz

    logging.disable(logging.CRITICAL)
    for first in firsts:
        began = time.perf_counter()
        found = fuzz(name, PIECE, seed, damage, first)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        more = {"unit": f"{seed}/{first}", "peak_mb": peak_mb, "took_s": time.perf_counter() - began}
        print(json.dumps(found | more), flush=True)


def tested(family: str, file: str, record: Record) -> None:
    """Run a file of tests; a test that tries many inputs says how many (``record_property``)."""
    if file in record.done(family):
        return
    began, inputs, longest_s, failures = time.perf_counter(), 0, 0.0, list[str]()
    with tempfile.TemporaryDirectory() as folder:
        report, usage = Path(folder, "report.xml"), Path(folder, "usage")
        options = [
            "-q",
            "-m",
            "",
            "-p",
            "no:cacheprovider",
            "-o",
            "junit_family=xunit1",
            f"--junitxml={report}",
        ]
        command = [sys.executable, "-c", PYTEST, str(usage), *options, str(TESTS / file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TESTS.parent)
        if not report.exists() or not usage.exists():
            record.add(Tried(family, file, 0, [done.stdout[-3000:] + done.stderr[-3000:]]))
            return
        for case in ET.parse(report).iter("testcase"):
            if case.find("skipped") is None:
                said = case.find("properties/property[@name='inputs']")
                inputs += 1 if said is None else int(said.get("value", "1"))
                longest_s = max(longest_s, float(case.get("time", "0")))
            if any(case.find(kind) is not None for kind in ("failure", "error")):
                failures.append(f"{case.get('classname')}.{case.get('name')}")
        peak_mb = float(usage.read_text())
    record.add(Tried(family, file, inputs, failures, peak_mb, longest_s, time.perf_counter() - began))


def tasks(given: argparse.Namespace, record: Record) -> Iterator[Callable[[], None]]:
    """Yield what is to be done, each a process of its own."""
    from fuzzing import targets

    def wanted(family: str) -> bool:
        return not given.only or any(part in family for part in given.only)

    for full, sizes in ((False, KILLED), (True, FILLED)):
        for name, size in sizes.items():
            if wanted(f"{'disk full' if full else 'killed'}: {name}"):
                for part in (0, 1):
                    yield partial(cut_off, name, size, part, full=full, record=record)
    names = list(targets())
    for place, name in enumerate(names):
        share = given.fuzzed // len(names) + (place < given.fuzzed % len(names))
        if share and wanted(f"fuzzed: {name}"):
            yield partial(fuzzed, name, share, given.seed, record)
    for family, files in FAMILIES.items():
        for file in files if wanted(family) else ():
            yield partial(tested, family, file, record)


def in_time(record: Record, task: Callable[[], None]) -> None:
    """Do a task where there is time."""
    if not record.is_over():
        task()


def main() -> int:
    """Try everything that the record does not hold; return 0 if nothing failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--record", type=Path, default=Path("build/torture.jsonl"), help="a file, continued")
    parser.add_argument("--fuzzed", type=int, default=500_000, help="damaged inputs, of all readers together")
    parser.add_argument("--seed", type=int, default=0, help="of the damaged inputs")
    parser.add_argument("--only", nargs="*", default=[], help="parts of families' names")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after which it stops")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--fuzz-one", default="", help=argparse.SUPPRESS)
    parser.add_argument("--pieces", type=json.loads, default=[], help=argparse.SUPPRESS)
    given = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    os.environ |= {"SAYSO_CONFIG": "", "SAYSO_NO_DAEMON": "1", "OMP_NUM_THREADS": "1", "RUST_LOG": "off"}
    # not this folder, in which a benchmark may have the name of a folder of tests
    paths = (path for path in sys.path if path and Path(path) != HERE)
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    if given.fuzz_one:
        fuzz_one(given.fuzz_one, given.pieces, given.seed)
        return 0
    record = Record(given.record, time.monotonic() + 60 * given.minutes)
    with ThreadPoolExecutor(given.jobs) as pool:
        for ended in as_completed([pool.submit(in_time, record, task) for task in tasks(given, record)]):
            ended.result()
    print(record.table())
    failures = [failure for tried in record.held.values() for failure in tried.failures]
    print(f"\n{sum(one.inputs for one in record.held.values()):,} inputs, {len(failures):,} failures")
    for failure in failures[:50]:
        print(f"\n{failure}")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
