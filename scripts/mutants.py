"""Plants one bug after the other in a copy of the project, and counts those that no test catches.

    python scripts/mutants.py                      bugs of which each once survived, by name
    python scripts/mutants.py --sample 60 --seed 1 small changes, drawn from the core modules

A drawn change turns a comparison, swaps plus and minus, min and max, and and or. The
tests of a module are those of its folder under tests/. A bug whose tests run out of time shows nothing, since
the machine may be busy: it is counted apart. Exit 0 if at least 90 % of the others are caught.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
WANTED = 0.9
LIMIT_S = 600
SAID = {True: "caught  ", False: "SURVIVED", None: "TIME OUT"}
CORE = {
    "core/ownership.py": "tests/core/test_ownership.py",
    "core/io.py": "tests/core/test_io.py",
    "index/filter_language.py": "tests/index/test_filter_language.py",
    "index/conditions.py": "tests/index/test_conditions.py",
    "serve/files.py": "tests/serve/test_files.py tests/serve/test_fuzzed.py",
    "serve/connections.py": "tests/serve/test_connections.py",
    "serve/budget.py": "tests/serve/test_budget.py",
    "alignment/timing.py": "tests/alignment/test_align.py",
    "text/captions": "tests/text/captions",
    "text/screenplay": "tests/text/screenplay",
    "metrics": "tests/metrics",
    "solvers": "tests/solvers",
    "losses": "tests/losses",
}


@dataclass(frozen=True, slots=True)
class Bug:
    """A change of one file.

    Args:
        name: what it breaks.
        file: below src/sayso.
        old: text that is there once.
        new: what is put in its place.
        tests: that should fail, as pytest takes them.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str


# fmt: off
# ruff: noqa: E501
NAMED = (
    Bug("TTML ends at the later of end and dur", "text/captions/ttml.py", "min(ends, default", "max(ends, default", "tests/text/captions"),
    Bug("the average is not restored", "engine/train_state.py", "                average.load_state_dict(saved)\n", "                pass\n", "tests/engine"),
    Bug("sentence embeddings are not centred", "encoders/conse.py", "unit_norm(sentences - mean_text())", "unit_norm(sentences)", "tests/encoders"),
    Bug("the writer keeps unfinished files", "index/writer.py", 'if row["media_id"] not in unfinished]', "]", "tests/index"),
    Bug("prune without its guard", "index/update.py", "if prune and seen.is_gone(path)}", "if prune}", "tests/index"),
    Bug("words far apart are one speech", "alignment/timing.py", "> 60) + 1", "> 6000000) + 1", "tests/alignment"),
    Bug("skipped words cost no confidence", "alignment/timing.py", "matched / (1 + skipped)", "matched", "tests/alignment"),
    Bug("a repeated word counts twice", "systems/crosstask/components.py", "list(dict.fromkeys(step.split()))", "step.split()", "tests/systems -k crosstask"),
    Bug("sound before 0 is sent", "serve/tracks.py", " and packet.pts >= 0]", "]", "tests/serve/test_stream.py"),
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
        for k, node in enumerate(ast.walk(ast.parse(source))):
            if _change(node):
                tree = ast.parse(source)
                changed = next(one for j, one in enumerate(ast.walk(tree)) if j == k)
                before = ast.unparse(changed)
                _change(changed)
                says = f"{name}:{getattr(node, 'lineno', 0)} {before[:50]} -> {ast.unparse(changed)[:50]}"
                yield Bug(says, name, source, ast.unparse(tree), tests)


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


def is_caught(bug: Bug, copy: Path, limit_s: float) -> bool | None:
    """Plant a bug in a copy of the project, and tell whether a test fails; None: they ran out of time.

    Args:
        bug: to plant.
        copy: of the project.
        limit_s: for its tests, seconds.
    """
    file = copy / "src/sayso" / bug.file
    source = file.read_text()
    if source.count(bug.old) != 1:
        raise SystemExit(f"{bug.file} does not hold {bug.old[:60]!r} once")
    file.write_text(source.replace(bug.old, bug.new))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "tests/test_planted.py",
        *bug.tests.split(),
    ]
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    finally:
        file.write_text(source)
    if done.returncode not in (0, 1, 2):
        raise SystemExit(done.stdout.decode()[-2000:])
    return done.returncode != 0


def main() -> int:
    """Plant, count and say which survived."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, default=0, help="changes drawn; without, those with names")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="those whose name holds this")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="for the tests of one, seconds")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after which it stops")
    given = parser.parse_args()
    ends = time.monotonic() + 60 * given.minutes
    bugs = drawn(given.sample, random.Random(given.seed)) if given.sample else list(NAMED)  # noqa: S311
    bugs = [bug for bug in bugs if given.only in bug.name]
    if not bugs:
        parser.error(f"no bug's name holds {given.only!r}")
    came = dict.fromkeys(SAID, 0)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("src", "tests", "benchmarks", "examples", "scripts", "docs"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        for bug in bugs:
            if time.monotonic() > ends:
                break
            caught = is_caught(bug, copy, given.limit)
            came[caught] += 1
            print(SAID[caught], bug.name, flush=True)
    judged = came[True] + came[False]
    share = came[True] / max(1, judged)
    print(f"{came[True]} of {judged} caught ({share:.0%}); {came[None]} ran out of time")
    return int(share < WANTED)


if __name__ == "__main__":
    sys.exit(main())
