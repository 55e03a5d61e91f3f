"""A process ends with its code, all written, its hooks called, and nothing torn down."""

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys
from sayso.core.leaving import run_and_leave

class Torn:
    def __del__(self):
        print("torn down")

kept = Torn()

def main():
    atexit.register(print, "hook")
    sys.stdout.write("printed ")
    {end}

run_and_leave(main)
"""


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ("return", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('no such file')", 1, "no such file\n"),
        ("raise KeyError('lost')", 1, "KeyError: 'lost'\n"),
    ],
)
def test_it_ends_with_its_code_and_tears_nothing_down(end, code, said):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(end=end)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (code, "printed hook\n")
    assert done.stderr.endswith(said) and bool(done.stderr) == bool(said)


def test_what_cannot_be_written_is_an_error():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(end="return")],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1


def test_a_process_whose_streams_are_closed_reads_nothing_and_opens_no_file_as_one_of_them():
    body = "assert sys.stdin.read() == ''; print('lost'); code = open('/dev/null').fileno(); sys.exit(code)"
    quoted = [sys.executable, "-c", PROGRAM.format(end=body)]
    done = subprocess.run(["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *quoted], check=False)
    assert done.returncode > 2


def test_without_an_output_there_is_nothing_to_write():
    program = "from sayso.core.leaving import run_and_leave; run_and_leave(lambda: None)"
    closed = ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, program]
    done = subprocess.run(closed, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
