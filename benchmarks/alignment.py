"""Aligning a film's words: ours next to difflib, rapidfuzz and a plain numpy table, in one run.

    python benchmarks/alignment.py                      # 12,000 x 10,000 words, then growth to 100,000
    python benchmarks/alignment.py --sizes 12000

Two versions of one drawn text; what each engine finds of them is measured by ``sayso evaluate
word-alignment``. Every engine runs in a process of its own, on one core; memory is what the process holds
at its peak above what it held before.
"""

from __future__ import annotations

import argparse
import difflib
import json
import resource
import subprocess
import sys
import time

import numpy as np

from sayso.evaluation.word_alignment import drawn_texts

ENGINES = ("ours", "rapidfuzz", "difflib", "numpy table")
LARGEST = {"rapidfuzz": 100_000, "difflib": 25_000, "numpy table": 25_000, "ours": 100_000}


def align(engine: str, a: list[str], b: list[str]) -> list[tuple[int, int]]:
    """Return the pairs that an engine finds."""
    if engine == "ours":
        from sayso.solvers import align_words

        return [tuple(pair) for pair in align_words(a, b).tolist()]
    if engine == "difflib":
        blocks = difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
        return [(block.a + k, block.b + k) for block in blocks for k in range(block.size)]
    if engine == "rapidfuzz":
        from rapidfuzz.distance import LCSseq

        blocks = LCSseq.opcodes(a, b)
        return [(x.src_start + k, x.dest_start + k) for x in blocks if x.tag == "equal"
                for k in range(x.src_end - x.src_start)]  # fmt: skip
    return numpy_table(a, b)


def numpy_table(a: list[str], b: list[str]) -> list[tuple[int, int]]:
    """The longest common subsequence by the full table, a row at a time, with a bit for each cell."""
    ids = {word: number for number, word in enumerate({*a, *b})}
    x, y = (np.array([ids[word] for word in words]) for words in (a, b))
    best, grew = np.zeros(len(b) + 1, np.int32), []
    for word in x:
        row = best.copy()
        np.maximum(row[1:], best[:-1] + (y == word), out=row[1:])
        np.maximum.accumulate(row, out=row)
        grew.append(np.packbits(row > best))
        best = row
    pairs, j = [], len(b)
    for i in range(len(a) - 1, -1, -1):
        bits = np.unpackbits(grew[i], count=len(b) + 1)
        if bits[j]:
            while not (y[j - 1] == x[i] and bits[j]):
                j -= 1
            pairs.append((i, j - 1))
            j -= 1
    return pairs[::-1]


def measure(engine: str, size: int) -> dict[str, object]:
    """Return seconds and memory of one engine at one size, and how many pairs it finds."""
    a, b, _ = drawn_texts(size)
    align(engine, a[:50], b[:50])
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    pairs = align(engine, a, b)
    took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "engine": engine, "script": len(a), "subtitles": len(b), "pairs": len(pairs),
        "seconds": round(took, 2), "more_mb": round((peak - held) / 1024), "peak_mb": round(peak / 1024),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[12_000, 25_000, 50_000, 100_000])
    parser.add_argument("--engine", choices=ENGINES)
    options = parser.parse_args()
    if options.engine:
        print(json.dumps(measure(options.engine, options.sizes[0])))
        return
    for size in options.sizes:
        for engine in ENGINES:
            if size > LARGEST[engine]:
                continue
            command = [sys.executable, __file__, "--engine", engine, "--sizes", str(size)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            print(
                done.stdout.strip() or f"{engine} at {size}: {done.stderr.strip().splitlines()[-1]}",
                flush=True,
            )


if __name__ == "__main__":
    main()
