"""Curation: names in texts, the search for near-duplicates, and memory against pairs.

    python benchmarks/curation.py [--only names]

Names are found beside Aho-Corasick automata in C and in Rust, which take part where they are installed
(``pip install pyahocorasick ahocorasick-rs``). Each way has a process of its own, gets texts by the 4,096, as
curation reads them, and must find the same names in every text; the fastest of five rounds counts. Times are
CPU seconds; a few minutes on two cores.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from sayso.data.alt_text.names import NameMatcher
from sayso.data.alt_text.near_duplicates import TestSet, fingerprint

BATCH = 4_096
MODULES = {"pyahocorasick": "ahocorasick", "ahocorasick_rs": "ahocorasick_rs"}
SURVEY = """
import resource, sys, time
from pathlib import Path
from sayso.data.alt_text import curate, survey
from sayso.data.alt_text.measure import Measured
from sayso.data.alt_text.rules import CurationRules
survey.measure = lambda listed, **how: Measured(width=300, height=300, content=hash(listed.name) % 2**40)
rules = CurationRules(max_picture_texts=3, max_text_pictures=10, common_words=1000, per_name=100)
began = time.process_time()
done = curate(Path(sys.argv[1]), Path(sys.argv[1] + ".parquet"), rules, names=Path(sys.argv[2]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(f"| {done.total:,} | {peak} | {done.total / (time.process_time() - began):,.0f} |")
"""


Find = Callable[[list[str]], list[list[int]]]


def spaced(text: str) -> str:
    """Return what MetaCLIP looks for `` name `` in."""
    for mark in ",.;:?!`":
        if mark in text:
            text = text.replace(mark, f" {mark} ")
    return f" {text} "


def pyahocorasick(names: list[str]) -> Find:
    import ahocorasick

    automaton = ahocorasick.Automaton()
    for number, name in enumerate(names):
        automaton.add_word(f" {name} ", number)
    automaton.make_automaton()
    return lambda texts: [sorted({number for _, number in automaton.iter(spaced(text))}) for text in texts]


def in_rust(names: list[str]) -> Find:
    import ahocorasick_rs

    automaton = ahocorasick_rs.AhoCorasick(
        [f" {name} " for name in names], matchkind=ahocorasick_rs.MatchKind.Standard
    )
    find = automaton.find_matches_as_indexes
    return lambda texts: [
        sorted({found[0] for found in find(spaced(text), overlapping=True)}) for text in texts
    ]


MATCHERS: dict[str, Callable[[list[str]], Find]] = {
    "pyahocorasick": pyahocorasick,
    "ahocorasick_rs": in_rust,
    "ours": lambda names: NameMatcher(names).find,
}


def listed(count: int, kind: str) -> list[str]:
    """Return names of one to three words, or texts of 12 words, some with a comma or a full stop."""
    rng = random.Random(kind)
    words = [f"w{n}" for n in range(30_000)]
    if kind == "names":
        lengths = (1, 1, 2, 3)
        return list({" ".join(rng.choices(words, k=rng.choice(lengths))): None for _ in range(count)})
    marks = ("", "", "", "", "", ",")
    return [" ".join(w + rng.choice(marks) for w in rng.choices(words, k=12)) + "." for _ in range(count)]


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def matching(way: str, count: int) -> None:
    """Print texts' number, answers, and what building and finding took; in a process of its own."""
    names, texts = listed(count, "names"), listed(4 * BATCH, "texts")
    before, began = resident(), time.process_time()
    find = MATCHERS[way](names)
    built, size = time.process_time() - began, resident() - before
    least, found = float("inf"), []
    for _ in range(5):
        began = time.process_time()
        found = [one for i in range(0, len(texts), BATCH) for one in find(texts[i : i + BATCH])]
        least = min(least, time.process_time() - began)
    answers = hashlib.sha256(json.dumps(found).encode()).hexdigest()
    print(json.dumps([len(names), 1e6 * least / len(texts), built, size / 2**20, answers]))


def names_in_texts(count: int) -> None:
    ways = [way for way in MATCHERS if way == "ours" or importlib.util.find_spec(MODULES[way])]
    told = {}
    for way in ways:
        command = [sys.executable, __file__, "--matching", way, str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        told[way] = json.loads(done.stdout)
    assert len({answers for *_, answers in told.values()}) == 1, "they do not find the same names"
    ours = told["ours"][1]
    for way, (names, took, built, size, _) in told.items():
        row = f"{took:.2f} | {took / ours:.2f} | {built:.2f} | {size:.0f}"
        print(f"| {names:,} | {way} | {row} |", flush=True)


def near_duplicates(count: int) -> None:
    rng = np.random.default_rng(0)

    def picture() -> Image.Image:
        layers = [rng.integers(0, 256, (k, k), dtype=np.uint8) for k in (3, 8, 20)]
        large = [np.asarray(Image.fromarray(one).resize((96, 96), 3), float) for one in layers]
        return Image.fromarray(np.uint8(sum(large) / 3))

    kept = TestSet([str(n) for n in range(count)], np.stack([fingerprint(picture()) for _ in range(count)]))
    asked = np.stack([fingerprint(picture()) for _ in range(64)])
    began = time.process_time()
    found = kept.find(asked)
    print(f"| {count:,} | {1e3 * (time.process_time() - began) / len(asked):.1f} | {sum(map(bool, found))} |")


def memory(folder: Path, count: int) -> None:
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (8, 8)).save(folder / name)
    (folder / "names.txt").write_text("\n".join(f"thing{n}" for n in range(500)))
    table = folder / f"{count}.csv"
    with table.open("w") as file:
        file.write("path,text\n")
        file.writelines(f"{'ab'[n % 2]}.jpg,a photo of thing{n % 997} in {n}\n" for n in range(count))
    command = [sys.executable, "-c", SURVEY, str(table), str(folder / "names.txt")]
    print(subprocess.run(command, capture_output=True, text=True, check=True).stdout, end="")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=["names", "near-duplicates", "memory"])
    parser.add_argument("--matching", nargs=2, metavar=("WAY", "NAMES"), help="one way, in this process")
    asked = parser.parse_args()
    if asked.matching:
        matching(asked.matching[0], int(asked.matching[1]))
        return
    if asked.only in (None, "names"):
        print("| names | way | us a text | x ours | s to build | MB |\n| --: | --- | --: | --: | --: | --: |")
        for count in (10_000, 100_000, 500_000):
            names_in_texts(count)
    if asked.only in (None, "near-duplicates"):
        print("\n| test pictures | CPU ms a picture | found, of none |\n| --: | --: | --: |")
        for count in (500, 5_000):
            near_duplicates(count)
    if asked.only in (None, "memory"):
        print("\n| pairs, undecoded | peak MB | pairs a CPU second |\n| --: | --: | --: |")
        with tempfile.TemporaryDirectory() as folder:
            for count in (20_000, 200_000):
                memory(Path(folder), count)


if __name__ == "__main__":
    main()
