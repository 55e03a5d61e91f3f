"""Write the tables of benchmarks/RESULTS.md from the JSON that benchmarks leave (``--json FILE``).

    OMP_NUM_THREADS=1 python benchmarks/steps.py --json steps.json
    python scripts/benchmark_report.py steps.json

What a benchmark without ``--json`` prints is recorded by ``benchmarks/recorded.py``, and stands as it was
printed. A benchmark's section begins at ``<!-- benchmark NAME -->`` and ends at ``<!-- end -->``; it is
replaced, or put at the end. What is written by hand stands outside. A run beside which other processes
kept more than ``--quiet`` cores busy is refused, and so is one of a tree with changes that no commit
holds; ``--mark`` writes them all the same, and says so in the section.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WANTED = ("benchmark", "command", "date", "commit", "changed", "machine", "threads", "load", "tables")
QUIET = 0.25  # cores


class Refused(Exception):
    """A record that must not be written."""


def read_record(path: Path) -> dict[str, Any]:
    """Return what a benchmark left.

    Raises:
        Refused: if it is no such file.
    """
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read as JSON: {error}") from error
    missing = [key for key in WANTED if not isinstance(record, dict) or key not in record]
    if missing:
        raise Refused(f"{path} is no benchmark's record: it lacks {', '.join(missing)}")
    return record  # type: ignore[no-any-return]


def faults(record: dict[str, Any], quiet: float = QUIET) -> list[str]:
    """Return why a record's times should not be trusted, if there are reasons.

    Args:
        record: as ``read_record`` returns it.
        quiet: how many cores others may have kept busy.
    """
    found, others = [], record.get("others_cores")
    if others is None:
        if record["load"][0] > 1 + quiet:
            found.append(f"the load was {record['load'][0]} when it began")
    elif others > quiet:
        found.append(f"other processes kept {others:.2f} cores busy")
    if not record["commit"]:
        found.append("nothing says which commit it was of")
    if record["changed"]:
        found.append("the tree had changes that no commit holds")
    return found


def allowed(path: Path, record: dict[str, Any], options: argparse.Namespace) -> list[str]:
    """Return a record's faults, to be written beside it.

    Raises:
        Refused: if it has any, and ``--mark`` was not given.
    """
    reasons = faults(record, options.quiet)
    if reasons and not options.mark:
        raise Refused(f"{path}: {'; '.join(reasons)}; run it again, or give --mark")
    return reasons


def section(record: dict[str, Any], reasons: list[str]) -> str:
    """Return a benchmark's section of the file."""
    machine = record["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in record.get("packages", {}).items())
    others = record.get("others_cores")
    beside = "" if others is None else f", others kept {others:.2f} cores busy"
    lines = [
        f"<!-- benchmark {record['benchmark']} -->",
        f"## `{record['command']}`",
        "",
        f"{record['date']}, commit {record['commit']}; {machine['cpu']}, {machine['cores']} cores, Python "
        f"{machine['python']}, {packages}; OMP_NUM_THREADS: {record['threads']}; load {record['load'][0]} at "
        f"the start{beside}.",
    ]
    if reasons:
        lines += ["", f"**Not to be relied on: {'; '.join(reasons)}.**"]
    for table in record["tables"]:
        lines += ["", *([table["title"], ""] if table["title"] else [])]
        lines.append(f"| {' | '.join(table['columns'])} |")
        lines.append(f"| {' | '.join(['---', *['--:'] * (len(table['columns']) - 1)])} |")
        lines += [f"| {' | '.join(row)} |" for row in table["rows"]]
    if printed := record.get("text", "").replace("```", "").strip("\n"):
        lines += ["", "```text", *(line.rstrip() for line in printed.split("\n")), "```"]
    return "\n".join([*lines, "<!-- end -->"])


def put(text: str, name: str, written: str) -> str:
    """Return the file's text with a benchmark's section replaced, or added at the end.

    Args:
        text: the file's.
        name: the benchmark's.
        written: its section.
    """
    pattern = re.compile(rf"<!-- benchmark {re.escape(name)} -->.*?<!-- end -->", re.DOTALL)
    if pattern.search(text):
        return pattern.sub(lambda _: written, text, count=1)
    return f"{text.rstrip()}\n\n{written}\n"


def main() -> int:
    """Write the sections; return 1 if one was refused, in which case nothing is written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("records", type=Path, nargs="+")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "RESULTS.md")
    parser.add_argument("--quiet", type=float, default=QUIET, help="cores that others may have kept busy")
    parser.add_argument(
        "--mark", action="store_true", help="write refused records too, and say what is wrong"
    )
    options = parser.parse_args()
    text = options.results.read_text()
    try:
        for path in options.records:
            record = read_record(path)
            text = put(text, record["benchmark"], section(record, allowed(path, record, options)))
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    options.results.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
