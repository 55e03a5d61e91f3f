"""How long ``sayso search`` takes from Enter to the answer: by itself, by a daemon, by ``sayso serve``.

    python benchmarks/search_latency.py INDEX                # any index
    python benchmarks/search_latency.py INDEX --drop-caches  # also with nothing of it in memory (root, Linux)

Each line is the median and the worst of 5 commands of one query, each a process of its own. ``CPU`` is what
the command itself computes, which tells more than the clock where neighbours are at work. All answers are
compared byte by byte with that of the command by itself.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5
QUERIES = (
    "a dog on a beach",
    "two people cook",
    "a red car",
    "a cat on a sofa",
    "a man plays a guitar",
    "food",
    "snow",
)


def run(*arguments, env):
    """Return what a command printed, its seconds by the clock, and those it computed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "sayso", *arguments], env=env, capture_output=True, check=True
    )
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, took, cpu


def timed(name, index, env, expected, options=(), prepare=lambda: None):
    took, computed = [], []
    for query in QUERIES[:RUNS]:
        prepare()
        answer, seconds, cpu = run("search", index, query, "--json", *options, env=env)
        assert expected.setdefault(query, answer) == answer, f"{name}: another answer to {query!r}"
        took.append(seconds)
        computed.append(cpu)
    print(
        f"| {name} | {statistics.median(took):.2f} | {max(took):.2f} | {statistics.median(computed):.2f} |",
        flush=True,
    )


def waited(env, what):
    """Wait until somebody answers searches."""
    until = time.monotonic() + 120
    while what not in run("daemon", env=env)[0].decode():
        if time.monotonic() > until:
            raise SystemExit(f"no {what} came")
        time.sleep(0.2)


def drop_caches():
    subprocess.run(["sync"], check=True)
    Path("/proc/sys/vm/drop_caches").write_text("3")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("index")
    parser.add_argument("--drop-caches", action="store_true")
    options = parser.parse_args()
    index, expected = str(Path(options.index).resolve()), {}
    with tempfile.TemporaryDirectory(prefix="s", dir="/tmp") as folder:
        env = {**os.environ, "XDG_RUNTIME_DIR": folder, "SAYSO_OFFLINE": "1", "SAYSO_CONFIG": ""}
        env.pop("SAYSO_NO_DAEMON", None)
        print("| way | median s | worst s | CPU s |\n| --- | --: | --: | --: |")
        took = [run("--version", env=env)[1:] for _ in range(RUNS)]
        wall, cpu = ([one[k] for one in took] for k in (0, 1))
        middle = statistics.median
        print(f"| sayso --version | {middle(wall):.2f} | {max(wall):.2f} | {middle(cpu):.2f} |")
        if options.drop_caches:
            timed("by itself, nothing in memory", index, env, expected, ["--no-daemon"], drop_caches)
        timed("by itself (--no-daemon)", index, env, expected, ["--no-daemon"])
        first = run("search", index, QUERIES[0], "--json", env=env)
        print(f"| the first, which leaves a daemon | {first[1]:.2f} | | {first[2]:.2f} |")
        waited(env, "daemon, process")
        second = run("search", index, QUERIES[0], "--json", env=env)
        assert first[0] == second[0] == expected[QUERIES[0]]
        print(f"| the second | {second[1]:.2f} | | {second[2]:.2f} |")
        timed("later ones, by the daemon", index, env, expected)
        run("daemon", "--stop", env=env)
        serve = [sys.executable, "-m", "sayso", "serve", index, "--no-open"]
        with subprocess.Popen(serve, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            try:
                waited(env, "sayso serve")
                run("search", index, QUERIES[0], "--json", env=env)
                timed("through sayso serve", index, env, expected)
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
