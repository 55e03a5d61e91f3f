"""Aligning a film's words: ours next to rapidfuzz (longest common subsequence), in one run.

    OMP_NUM_THREADS=1 python benchmarks/alignment.py                      # 12,000 to 100,000 words
    OMP_NUM_THREADS=1 python benchmarks/alignment.py --sizes 12000 --rounds 20

Two versions of one drawn text (as ``sayso evaluate word-alignment`` draws them). Both engines run in turns;
the least CPU seconds of one thread, from lists of words to pairs, after one call on short texts that loads
what they need. The last column is ours as it runs without numba.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from rapidfuzz.distance import LCSseq
from results import Report, json_option, least_in_turns, without_numba

from sayso.evaluation.word_alignment import drawn_texts, pair_scores
from sayso.solvers import align_words, word_alignment

LARGEST = 50_000  # words for rapidfuzz: 100,000 take it a gigabyte


def rapidfuzz(a: list[str], b: list[str]) -> list[tuple[int, int]]:
    """Return the pairs of rapidfuzz."""
    return [
        (block.src_start + k, block.dest_start + k)
        for block in LCSseq.opcodes(a, b)
        if block.tag == "equal"
        for k in range(block.src_end - block.src_start)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[12_000, 25_000, 50_000, 100_000])
    parser.add_argument("--rounds", type=int, default=8)
    json_option(parser)
    args = parser.parse_args()
    align_words(*drawn_texts(3_000)[:2])
    report = Report("alignment", args)
    columns = [
        "script words",
        "subtitle words",
        "ours, s",
        "recall",
        "rapidfuzz, s",
        "recall",
        "x",
        "no numba, s",
    ]
    report.table("", columns)
    for size in args.sizes:
        a, b, true = drawn_texts(size)
        runs: list[Callable[[], Any]] = [lambda a=a, b=b: align_words(a, b)]  # type: ignore[misc]
        runs.append(without_numba(word_alignment, runs[0]))
        if size <= LARGEST:
            runs.append(lambda a=a, b=b: rapidfuzz(a, b))  # type: ignore[misc]
        mine, plain, *peer = (ms / 1000 for ms in least_in_turns(runs, seconds=20, rounds=args.rounds))
        ours = pair_scores([(int(i), int(j)) for i, j in runs[0]()], true)["recall"]
        theirs = ["", "", ""]
        if peer:
            theirs = [
                f"{peer[0]:.3f}",
                f"{pair_scores(runs[2](), true)['recall']:.3f}",
                f"{peer[0] / mine:.2f}",
            ]
        report.row(f"{size:,}", f"{len(b):,}", f"{mine:.3f}", f"{ours:.3f}", *theirs, f"{plain:.2f}")
    report.close()


if __name__ == "__main__":
    main()
