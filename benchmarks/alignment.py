"""Aligning a film's words: ours next to difflib, rapidfuzz and a plain numpy table, in one run.

    python benchmarks/alignment.py                      # 12,000 x 10,000 words, then growth to 100,000
    python benchmarks/alignment.py --sizes 12000
    python benchmarks/alignment.py --speakers shared/data/tvperson   # who speaks, on real episodes

Two versions of one drawn text: words as frequent as in speech (Zipf), in the second
6 % dropped, 4 % replaced, 4 % misspelt or inflected, stretches of 10 to 80 words cut.
Recall is the share of the words that stayed which are paired with themselves;
precision the share of the pairs that are. Every engine runs in a process of its own,
on one core; memory is what the process holds at its peak above what it held before.
"""

from __future__ import annotations

import argparse
import difflib
import json
import random
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from sayso.text.screenplay.elements import Screenplay

ENGINES = ("ours", "rapidfuzz", "difflib", "numpy table")
LARGEST = {"rapidfuzz": 100_000, "difflib": 25_000, "numpy table": 25_000, "ours": 100_000}
SUBTITLES = 10 / 12  # as many subtitle words for each word of the script


def draw(size: int, seed: int = 0) -> tuple[list[str], list[str], list[tuple[int, int]]]:
    """Return script words, subtitle words and the pairs that are true."""
    rng = random.Random(seed)
    letters = "abcdefghijklmnoprstuvwy"
    vocabulary = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(8000)]
    frequency = [1 / (rank + 2.7) for rank in range(len(vocabulary))]
    script = rng.choices(vocabulary, frequency, k=size)
    other = rng.choices(vocabulary, frequency, k=size)
    subtitles: list[str] = []
    pairs: list[tuple[int, int]] = []
    i = 0
    while i < size and len(subtitles) < size * SUBTITLES:
        dice = rng.random()
        if rng.random() < 0.004:
            i += rng.randint(10, 80)
            continue
        if dice >= 0.06:
            if dice >= 0.10:
                pairs.append((i, len(subtitles)))
            word = other[i] if dice < 0.10 else script[i]
            subtitles.append(_spoilt(word, rng) if 0.10 <= dice < 0.14 else word)
        i += 1
    return script, subtitles, pairs


def _spoilt(word: str, rng: random.Random) -> str:
    if rng.random() < 0.5 or len(word) < 5:
        return word + "s"
    at = rng.randrange(len(word))
    return word[:at] + word[at + 1 :]


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
    """Return seconds, memory and quality of one engine at one size."""
    a, b, true = draw(size)
    align(engine, a[:50], b[:50])
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    pairs = align(engine, a, b)
    took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    right = len(set(pairs) & set(true))
    return {
        "engine": engine, "script": len(a), "subtitles": len(b), "seconds": round(took, 2),
        "more_mb": round((peak - held) / 1024), "peak_mb": round(peak / 1024),
        "recall": round(right / len(true), 4), "precision": round(right / max(len(pairs), 1), 4),
    }  # fmt: skip


def spoil(elements: list, how: str, rng: random.Random) -> list:
    """Return the transcript with words garbled, speeches dropped, or two sixths swapped."""
    if how in {"swapped", "all three"}:
        cuts = [elements[k * len(elements) // 6 : (k + 1) * len(elements) // 6] for k in range(6)]
        cuts[1], cuts[3] = cuts[3], cuts[1]
        elements = [element for cut in cuts for element in cut]
    if how in {"15 % dropped", "all three"}:
        elements = [element for element in elements if rng.random() > 0.15]
    if how in {"10 % garbled", "all three"}:
        elements = [
            replace(
                e,
                text=" ".join(_garbled(word, rng) if rng.random() < 0.1 else word for word in e.text.split()),
            )
            for e in elements
        ]
    return elements


def _garbled(word: str, rng: random.Random) -> str:
    return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=len(word)))


def speakers_table(folder: Path) -> None:
    """Print the accuracy of speakers on every episode in a folder, whole and spoilt."""
    from sayso.data.datasets.tvperson import read_episodes
    from sayso.systems.align_script import align_script

    print("| episode | transcript | published | ours | wrong above 0.9 |\n| --- | --- | --: | --: | --: |")
    for episode in read_episodes(folder):
        true = episode.speakers
        base = sum(a == b for a, b in zip(true, episode.published, strict=True)) / len(true)
        for how in ("whole", "10 % garbled", "15 % dropped", "swapped", "all three"):
            script = Screenplay(tuple(spoil(list(episode.script.elements), how, random.Random(0))))
            lines = align_script(script, episode.captions).lines
            right = [line.speaker == who for line, who in zip(lines, true, strict=True)]
            sure = [ok for ok, line in zip(right, lines, strict=True) if line.confidence > 0.9]
            print(
                f"| {episode.name} | {how} | {base:.3f} | {sum(right) / len(right):.3f} "
                f"| {len(sure) - sum(sure)} of {len(sure)} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[12_000, 25_000, 50_000, 100_000])
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--speakers", type=Path, metavar="FOLDER", help="episodes: *.subtitles.json")
    options = parser.parse_args()
    if options.speakers:
        speakers_table(options.speakers)
        return
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
