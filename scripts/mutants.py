"""Plants one bug after the other in a copy of the project, and counts those that no test catches.

    python scripts/mutants.py                      bugs of which each once survived, by name
    python scripts/mutants.py --sample 60 --seed 1 small changes, drawn from the core modules

A drawn change turns a comparison, swaps plus and minus, min and max, and and or. First the undisturbed tests of
its module run once, which must pass; they say which of them call what. Then for each change those that call the
changed function run, the quickest first, and where none of them fails, all of the module. They run in forks of
one process (warm_tests.py). A bug whose tests use far more of the processor than they did hangs, and is caught;
where they run out of time by the clock nothing is shown, since the machine may be busy: it is counted apart.
What was judged is a line of the record; the same command goes on from there, and tries again what survived.
Exit 0 if at least 90 % are caught.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warm_tests import WarmTests

ROOT = Path(__file__).parents[1]
WANTED = 0.9
LIMIT_S = 600
IDLE_CPU_S = 30
"""Of the processor: to start, and some more."""
SAID = {True: "caught  ", False: "SURVIVED", None: "TIME OUT"}
CORE = {
    "core/ownership.py": "tests/core/test_ownership.py",
    "core/io.py": "tests/core/test_io.py",
    "index/filter_language.py": "tests/index/test_filter_language.py",
    "index/conditions.py": "tests/index/test_conditions.py",
    "serve/files.py": "tests/serve/test_files.py tests/serve/test_fuzzed.py",
    "serve/connections.py": "tests/serve/test_connections.py",
    "serve/budget.py": "tests/serve/test_budget.py",
    "alignment/timing.py": "tests/alignment/test_align.py tests/alignment/test_timing.py tests/test_planted.py",
    "text/captions": "tests/text/captions",
    "text/screenplay": "tests/text/screenplay",
    "metrics": "tests/metrics",
    "solvers": "tests/solvers",
    "losses": "tests/losses",
}

EQUIVALENT = {
    "solvers/qp_reference.py cvxpy.multiply(roots @ np.ones((1, Z.shape[1])), r -> cvxpy.multiply(roots @ np.ones((1, Z.shape[1])), r": "the unknown weights have the other sign",
    "solvers/qp_reference.py Z - np.ones((problem.rows, 1)) @ cvxpy.Variable((1 -> Z + np.ones((problem.rows, 1)) @ cvxpy.Variable((1": "the unknown bias has the other sign",
    "solvers/block_frank_wolfe.py np.maximum(shares, 0) + 0.1 * np.maximum(shares, 0 -> np.maximum(shares, 0) + 0.1 * np.maximum(shares, 0": "next to nothing, of either sign, where all shares are 0: it divides out",
    "solvers/projection.py breaks > score[:, None] -> breaks >= score[:, None]": "a rival at the threshold has no part of the row",
    "solvers/projection.py short > 0 -> short >= 0": "what lacks nothing is done",
    "solvers/projection.py short < 0 -> short <= 0": "what lacks nothing is done",
    "solvers/projection.py reduced + 1e-09 * np.eye(len(reduced)) -> reduced - 1e-09 * np.eye(len(reduced))": "next to nothing, of either sign, keeps the matrix regular",
    "metrics/regions.py rows * stride + stride -> rows * stride - stride": "runs are linked with those above instead of below: the same pairs",
    "solvers/compiled_path.py starts[c] + windows[c, 1] - windows[c, 0] -> starts[c] + windows[c, 1] + windows[c, 0]": "more room than is used",
    "solvers/projection.py ranked > thresholds -> ranked >= thresholds": "a score at the threshold has no part of the row",
    "solvers/word_pieces.py np.cumsum(np.r_[True, (np.diff(i) != 1) | (np.diff -> np.cumsum(np.r_[True, (np.diff(i) != 1) | (np.diff": "runs of no words come first",
    "solvers/transport.py len(moves) <= J -> len(moves) < J": "no path of exchanges is so long",
    "solvers/word_alignment.py column - block.low -> column + block.low": "the columns behind are computed in vain",
    "solvers/anderson.py 1e-12 * np.trace(gram) + 1e-300 -> 1e-12 * np.trace(gram) - 1e-300": "next to nothing, of either sign, keeps the matrix regular",
    "solvers/anderson.py gram + ridge -> gram - ridge": "next to nothing, of either sign, keeps the matrix regular",
    "solvers/anderson.py decrease > 0 -> decrease >= 0": "a step of length 0",
    "solvers/compiled_path.py cost[b, t, c] + cost[b, t + 1, c] -> cost[b, t, c] - cost[b, t + 1, c]": "the sum tells only whether all are finite",
    "solvers/compiled_path.py absent[c] < np.inf -> absent[c] <= np.inf": "nothing costs more than infinity",
    "solvers/linear_oracle.py left <= 0 -> left < 0": "a part of nothing is added",
    "solvers/linear_oracle.py c.rows * self.classes + c.label -> c.rows * self.classes - c.label": "the pairs have other numbers",
    "solvers/qp_reference.py problem.rows <= D -> problem.rows < D": "either form of the objective is exact",
    "losses/contrastive.py -least >= G * limits.tiny / limits.eps -> -least > G * limits.tiny / limits.eps": "at the limit either way is exact",
    "losses/contrastive.py shift > 0 -> shift >= 0": "0 is subtracted",
    "losses/pair_targets.py self.rows is None or self.columns is None -> self.rows is None and self.columns is None": "both are given, or neither",
    "losses/pair_targets.py labels is None or self.weights is None -> labels is None and self.weights is None": "both are given, or neither",
    "solvers/word_alignment.py high > block.high -> high >= block.high": "nothing is added, or all is inside",
    "solvers/compiled_words.py row > first -> row >= first": "no block begins in the middle of a merge",
    "solvers/compiled_words.py score[j] < score[j - 1] -> score[j] <= score[j - 1]": "an equal score is written again",
    "solvers/word_pieces.py mixed * np.uint64(11400714819323198485) + numbers[ -> mixed * np.uint64(11400714819323198485) - numbers[": "it is a hash all the same",
    "metrics/classification.py np.arange(C) < ((best == S) & truth).argmax(1)[:,  -> np.arange(C) <= ((best == S) & truth).argmax(1)[:,": "a right class is not among the tied ones",
    "solvers/word_alignment.py after < rows -> after <= rows": "no text ends in the middle of a merge, nor a piece",
}
"""Changes that change nothing, and why; no test can catch them, so they are not counted."""


@dataclass(frozen=True, slots=True)
class Bug:
    """A change of one file.

    Args:
        name: what it breaks.
        file: below src/sayso.
        old: text that is there once.
        new: what is put in its place.
        tests: that should fail, as pytest takes them.
        place: the function that is changed, as ``warm_tests.Calls`` names it; empty if it is none.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str
    place: str = ""

    @property
    def is_equivalent(self) -> bool:
        """Whether it changes nothing."""
        return re.sub(r":\d+ ", " ", self.name, count=1) in EQUIVALENT


# fmt: off
# ruff: noqa: E501
NAMED = (
    Bug("TTML ends at the later of end and dur", "text/captions/ttml.py", "min(ends, default", "max(ends, default", "tests/test_planted.py"),
    Bug("the average is not restored", "engine/train_state.py", "                average.load_state_dict(saved)\n", "                pass\n", "tests/engine"),
    Bug("sentence embeddings are not centred", "encoders/conse.py", "unit_norm(sentences - mean_text())", "unit_norm(sentences)", "tests/test_planted.py"),
    Bug("the writer keeps unfinished files", "index/writer.py", 'if row["media_id"] not in unfinished]', "]", "tests/index"),
    Bug("prune without its guard", "index/update.py", "if prune and seen.is_gone(path)}", "if prune}", "tests/index"),
    Bug("words far apart are one speech", "alignment/timing.py", "> 60) + 1", "> 6000000) + 1", "tests/test_planted.py"),
    Bug("skipped words cost no confidence", "alignment/timing.py", "matched / (1 + skipped)", "matched", "tests/alignment"),
    Bug("a repeated word counts twice", "systems/crosstask/components.py", "list(dict.fromkeys(step.split()))", "step.split()", "tests/test_planted.py"),
    Bug("sound before 0 is sent", "serve/tracks.py", " and packet.pts >= 0]", "]", "tests/test_planted.py"),
    Bug("a programme starts with its last caption", "text/captions/ttml.py", "if min((begin", "if max((begin", "tests/text/captions/test_ttml.py"),
    Bug("a running head has two lines", "text/screenplay/pdf_text.py", "len(block) <= HEAD_ROWS", "len(block) < HEAD_ROWS", "tests/text/screenplay/test_pdf_text.py"),
    Bug("a name has three words", "text/screenplay/parse.py", "and len(text.split()) <= 4", "and len(text.split()) < 4", "tests/text/screenplay/test_screenplay.py"),
    Bug("the rest of a long video is misplaced", "solvers/running_minimum.py", "cost[whole * self._rows :]", "cost[whole + self._rows :]", "tests/solvers/test_ordered_path.py"),
    Bug("the end of a file is exact", "media/clip.py", "seconds >= end_s - TOLERANCE_S", "seconds >= end_s", "tests/media"),
)
# fmt: on

_TURNED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


def drawn(count: int, rng: random.Random) -> list[Bug]:
    """Return changes drawn from the core modules."""
    every = [bug for place, tests in CORE.items() for bug in _changes(place, tests)]
    return rng.sample(every, min(count, len(every)))


def _changes(place: str, tests: str) -> Iterator[Bug]:
    path = ROOT / "src/sayso" / place
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        source = file.read_text()
        name = file.relative_to(ROOT / "src/sayso").as_posix()
        functions, told = _functions(ast.parse(source)), Counter[str]()
        for k, node in enumerate(ast.walk(ast.parse(source))):
            if _change(node):
                tree = ast.parse(source)
                changed = next(one for j, one in enumerate(ast.walk(tree)) if j == k)
                before = ast.unparse(changed)
                _change(changed)
                line = getattr(node, "lineno", 0)
                says = f"{name}:{line} {before[:50]} -> {ast.unparse(changed)[:50]}"
                told[says] += 1
                says += f" ({told[says]})" if told[says] > 1 else ""  # the record knows them by their names
                held = [held for first, last, held in functions if first <= line <= last]
                yield Bug(says, name, source, ast.unparse(tree), tests, f"{name} {held[0]}" if held else "")


def _functions(tree: ast.AST, within: str = "") -> list[tuple[int, int, str]]:
    """Return the first and last line of each body of a function or method, and its name, the outermost first."""
    found = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            found += _functions(node, f"{within}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append((node.body[0].lineno, node.end_lineno or 0, f"{within}{node.name}"))
    return found


def _change(node: ast.AST) -> bool:
    """Change a node into a likely mistake; tell whether that can be done."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _TURNED:
        node.ops[0] = _TURNED[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp) and type(node.op) in _SWAPPED and not _is_text(node):
        node.op = _SWAPPED[type(node.op)]()
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _NAMES:
        node.func.id = _NAMES[node.func.id]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)
    else:
        return False
    return True


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str)) for side in (node.left, node.right))  # fmt: skip


class Judge:
    """Plants bugs in a copy of the project, and tells whether a test fails.

    Args:
        copy: of the project.
        limit_s: for the tests of one, seconds by the clock.
    """

    def __init__(self, copy: Path, limit_s: float) -> None:
        self.copy, self.limit_s = copy, limit_s
        self.tests = WarmTests(copy)
        self.noted: dict[str, dict[str, Any]] = {}

    def undisturbed(self, tests: str) -> dict[str, Any]:
        """Return which functions each test calls, and how long it takes; they must pass."""
        if tests not in self.noted:
            file, began = self.copy / "calls.json", time.monotonic()
            if self.tests.run(tests.split(), limit_s=LIMIT_S, cpu_s=LIMIT_S, calls=file):
                raise SystemExit(f"undisturbed, {tests}: {self.tests.said[-2000:]}")
            self.noted[tests] = json.loads(file.read_text())
            took_s = time.monotonic() - began
            print(
                f"{len(self.noted[tests])} tests of {tests} pass in {took_s:.0f} s",
                file=sys.stderr,
                flush=True,
            )
        return self.noted[tests]

    def is_caught(self, bug: Bug) -> bool | None:
        """Plant a bug, and tell whether a test fails; None: they ran out of time."""
        noted = self.undisturbed(bug.tests)
        called = [test for test, one in noted.items() if bug.place in one["calls"]]
        called.sort(key=lambda test: noted[test]["seconds"])
        file = self.copy / "src/sayso" / bug.file
        source, times = file.read_text(), file.stat()
        if source.count(bug.old) != 1:
            raise SystemExit(f"{bug.file} does not hold {bug.old[:60]!r} once")
        file.write_text(source.replace(bug.old, bug.new))
        try:
            first = self._fails(called, noted) if called else False
            return self._fails(bug.tests.split(), noted) if first is False else first
        finally:
            file.write_text(source)
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    def _fails(self, tests: list[str], noted: dict[str, Any]) -> bool | None:
        took_s = sum(one["seconds"] for test, one in noted.items() if test in tests or "::" not in tests[0])
        code = self.tests.run(tests, limit_s=self.limit_s, cpu_s=IDLE_CPU_S + 3 * took_s)
        if code in (3, 4, 5):  # of pytest: it failed itself, or found no test; a crash of the process counts
            raise SystemExit(self.tests.said[-2000:])
        return None if code is None else code != 0


class Record:
    """What was judged, in a file that is continued.

    Args:
        path: of JSON lines; None: nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        lines = path.read_text().splitlines() if path and path.exists() else []
        self.came: dict[str, bool | None] = {one["bug"]: one["caught"] for one in map(json.loads, lines)}

    def add(self, bug: Bug, caught: bool | None) -> None:
        """Note how one ended."""
        self.came[bug.name] = caught
        print(SAID[caught], bug.name, flush=True)
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a") as file:
                file.write(json.dumps({"bug": bug.name, "caught": caught}) + "\n")


def copied(folder: Path) -> Path:
    """Return a copy of what tests read, with the times of the files, by which Python knows what it compiled."""
    for name in ("src", "tests", "benchmarks", "examples", "scripts", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "pyproject.toml", folder)
    return folder


def main() -> int:
    """Plant, count and say which survived."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, default=0, help="changes drawn; without, those with names")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="those whose name holds this")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="for the tests of one, seconds")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after which it stops")
    parser.add_argument("--record", type=Path, help="a file, continued")
    given = parser.parse_args()
    ends = time.monotonic() + 60 * given.minutes
    bugs = drawn(given.sample, random.Random(given.seed)) if given.sample else list(NAMED)  # noqa: S311
    bugs = [bug for bug in bugs if given.only in bug.name]
    if not bugs:
        parser.error(f"no bug's name holds {given.only!r}")
    equal = [bug.name for bug in bugs if bug.is_equivalent]
    bugs = [bug for bug in bugs if not bug.is_equivalent]
    record = Record(given.record)
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(copied(Path(folder).resolve()), given.limit)
        for bug in sorted(bugs, key=lambda bug: bug.tests):
            if time.monotonic() < ends and not record.came.get(bug.name):
                record.add(bug, judge.is_caught(bug))
    came = [record.came[bug.name] for bug in bugs if bug.name in record.came]
    caught, judged = came.count(True), len(came) - came.count(None)
    share = caught / max(1, judged)
    print(f"{caught} of {judged} caught ({share:.0%}); {came.count(None)} ran out of time")
    for name in equal:
        print(f"not counted, since it changes nothing: {name}")
    return int(share < WANTED)


if __name__ == "__main__":
    sys.exit(main())
