"""Any benchmark, with a record of what it printed for ``scripts/benchmark_report.py``.

    OMP_NUM_THREADS=1 python benchmarks/recorded.py RECORD.json benchmarks/encode.py [its options]
    python scripts/benchmark_report.py RECORD.json

For those that write no JSON of their own. What is printed is shown as it comes, and stands in the record with
the command, the commit, the machine, the load, and how many cores others kept busy meanwhile.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from results import Report


def main() -> int:
    """Run it; return its exit code. One that fails leaves no record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("json", type=Path, metavar="RECORD", help="the file to write")
    parser.add_argument("script", type=Path, help="the benchmark")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="its own")
    asked = parser.parse_args()
    if asked.json.suffix != ".json" or not asked.script.is_file():
        parser.error("expected the record, a file .json, and then a benchmark that is there")
    report = Report(asked.script.stem, asked, [str(asked.script.name), *asked.options])
    command = [sys.executable, str(asked.script), *asked.options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout or ():
            print(line, end="", flush=True)
            report.text += line
    if not running.returncode:
        report.close()
    return running.returncode


if __name__ == "__main__":
    sys.exit(main())
