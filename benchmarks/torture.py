"""Everything that may go wrong, in one table: what was tried, what failed, the memory and the longest answer.

    python benchmarks/torture.py [--kills 1000] [--full 200] [--fuzzed 500000] [--only kills fuzz]

Kill points and full disks are deterministic: every call that writes is in turn the last
(tests/kill_points.py). Damaged inputs follow from their number (tests/fuzzing.py). The other families are the
tests of the project, slow ones included, whose inputs are counted as they say. Exit 0 only if nothing failed.
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
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
HERE = Path(__file__).resolve().parent
KILLED = ("index", "index-again", "watch", "transcribe", "train")
FILLED = ("index", "index-again", "train")
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
}
"""Fault families whose inputs are tests, by the files of these."""


PYTEST = """
import pytest, resource, sys
code = pytest.main(sys.argv[2:])
used = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
open(sys.argv[1], "w").write(str(max(used) / 1024))
sys.exit(code)
"""


@dataclass
class Outcome:
    """A row of the table.

    Args:
        family: what was tried.
        inputs: how many.
        failures: in sentences.
        peak_mb: the most memory that a process took.
        longest_s: the longest answer.
        took_s: all of it.
    """

    family: str
    inputs: int = 0
    failures: list[str] = field(default_factory=list)
    peak_mb: float = 0.0
    longest_s: float = 0.0
    took_s: float = 0.0

    def line(self) -> str:
        """Return the row as Markdown."""
        numbers = f"{self.inputs:,} | {len(self.failures):,} | {self.peak_mb:,.0f} | {self.longest_s:.2f}"
        return f"| {self.family} | {numbers} | {self.took_s:.0f} |"


def killed(name: str, count: int, *, full: bool) -> Outcome:
    """Cut a workload off at its first ``count`` writes, or fill the disk there."""
    from kill_points import run_points

    tried = run_points(name, full=full, count=count)
    return Outcome(
        f"{'disk full' if full else 'killed'}: {name}",
        len(tried),
        [f"{name} {one['n']} {one['call']}: {one['wrong']}" for one in tried if one["wrong"]],
        max((one["peak_mb"] for one in tried), default=0.0),
        max((one["seconds"] for one in tried), default=0.0),
    )


def fuzzed(name: str, count: int, seed: int) -> Outcome:
    """Give damaged inputs to a reader, in a process of its own, whose memory is seen."""
    command = [sys.executable, __file__, "--fuzz-one", name, "--fuzzed", str(count), "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return Outcome(f"fuzzed: {name}", count, [done.stderr[-3000:] or f"it ended with {done.returncode}"])
    return Outcome(f"fuzzed: {name}", **json.loads(done.stdout))


def fuzz_one(name: str, count: int, seed: int) -> None:
    """Print as JSON what came of damaged inputs."""
    import logging

    from mutations import damage

    from fuzzing import fuzz

    logging.disable(logging.CRITICAL)
    found = fuzz(name, count, seed, damage)
    print(json.dumps(found | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def tested(family: str, files: tuple[str, ...]) -> Outcome:
    """Run a family's tests; a test that tries many inputs says how many (``record_property``)."""
    with tempfile.TemporaryDirectory() as folder:
        report, usage = Path(folder, "report.xml"), Path(folder, "usage")
        options = ["-q", "-m", "", "-p", "no:cacheprovider", f"--junitxml={report}"]
        given = [str(usage), *options, *(str(TESTS / file) for file in files)]
        command = [sys.executable, "-c", PYTEST, *given]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TESTS.parent)
        if not report.exists() or not usage.exists():
            return Outcome(family, 0, [done.stdout[-3000:] + done.stderr[-3000:]])
        outcome = Outcome(family, peak_mb=float(usage.read_text()))
        for case in ET.parse(report).iter("testcase"):
            if case.find("skipped") is None:
                said = case.find("properties/property[@name='inputs']")
                outcome.inputs += 1 if said is None else int(said.get("value", "1"))
                outcome.longest_s = max(outcome.longest_s, float(case.get("time", "0")))
            if any(case.find(kind) is not None for kind in ("failure", "error")):
                outcome.failures.append(f"{case.get('classname')}.{case.get('name')}")
    return outcome


def outcomes(given: argparse.Namespace) -> Iterator[Outcome]:
    """Yield the rows."""
    from fuzzing import targets

    for full, names, count in ((False, KILLED, given.kills), (True, FILLED, given.full)):
        for place, name in enumerate(names):
            share = count // len(names) + (place < count % len(names))
            if share and (not given.only or any(part in ("kills", "full")[full] for part in given.only)):
                yield timed(partial(killed, name, share, full=full))
    names = list(targets())
    for place, name in enumerate(names):
        share = given.fuzzed // len(names) + (place < given.fuzzed % len(names))
        if share and (not given.only or "fuzz" in given.only):
            yield timed(partial(fuzzed, name, share, given.seed))
    for family, files in FAMILIES.items():
        if not given.only or any(part in family for part in given.only):
            yield timed(partial(tested, family, files))


def timed(run: Callable[[], Outcome]) -> Outcome:
    """Return what came of it, and how long it took."""
    began = time.perf_counter()
    outcome = run()
    outcome.took_s = time.perf_counter() - began
    return outcome


def main() -> int:
    """Try everything; return 0 if nothing failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1000, help="kill points, of all runs together")
    parser.add_argument("--full", type=int, default=10**6, help="writes that find the disk full; all")
    parser.add_argument("--fuzzed", type=int, default=500_000, help="damaged inputs, of all readers together")
    parser.add_argument("--seed", type=int, default=0, help="of the damaged inputs")
    parser.add_argument(
        "--only", nargs="*", default=[], help="kills, full, fuzz, or parts of families' names"
    )
    parser.add_argument("--fuzz-one", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    sys.path[:0] = [str(TESTS), str(HERE)]
    os.environ |= {"SAYSO_CONFIG": "", "SAYSO_NO_DAEMON": "1"}
    if given.fuzz_one:
        fuzz_one(given.fuzz_one, given.fuzzed, given.seed)
        return 0
    print(
        "| family | inputs | failures | peak MB | longest s | took s |\n| --- | --: | --: | --: | --: | --: |"
    )
    total, failures = 0, list[str]()
    for outcome in outcomes(given):
        print(outcome.line(), flush=True)
        total, failures = total + outcome.inputs, failures + outcome.failures
    print(f"\n{total:,} inputs, {len(failures):,} failures")
    for failure in failures[:50]:
        print(f"\n{failure}")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
