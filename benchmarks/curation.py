"""Curation: names in texts beside MetaCLIP's loop, the search for near-duplicates, and memory against pairs.

Times are CPU seconds. ``python benchmarks/curation.py``; a few minutes on two cores.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from sayso.data.alt_text.names import NameMatcher
from sayso.data.alt_text.near_duplicates import TestSet, fingerprint

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


def published(text: str, names: list[str]) -> list[int]:
    """MetaCLIP's substring matching, written out; ``names`` have their spaces already."""
    text = f" {text} "
    for mark in ",.;:?!`":
        text = text.replace(mark, f" {mark} ")
    return [number for number, name in enumerate(names) if name in text]


def names_in_texts(count: int) -> None:
    rng = random.Random(0)
    words = [f"w{n}" for n in range(30_000)]
    lengths = (1, 1, 2, 3)
    names = list({" ".join(rng.choices(words, k=rng.choice(lengths))): None for _ in range(count)})
    texts = [" ".join(rng.choices(words, k=12)) for _ in range(100)]
    began = time.process_time()
    matcher = NameMatcher(names)
    built = time.process_time() - began
    spaced = [f" {name} " for name in names]
    began = time.process_time()
    theirs = [published(text, spaced) for text in texts]
    middle = time.process_time()
    ours = [matcher.find(text) for text in texts]
    ended = time.process_time()
    assert ours == theirs
    loop, tree = (middle - began) / len(texts), (ended - middle) / len(texts)
    print(f"| {len(names):,} | {1e3 * loop:.2f} | {1e3 * tree:.4f} | {loop / tree:,.0f} | {built:.2f} |")


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
    print("| names | loop, ms a text | ours, ms a text | x | s to build |\n| --: | --: | --: | --: | --: |")
    for count in (10_000, 100_000, 500_000):
        names_in_texts(count)
    print("\n| test pictures | CPU ms a picture | found, of none |\n| --: | --: | --: |")
    for count in (500, 5_000):
        near_duplicates(count)
    print("\n| pairs, undecoded | peak MB | pairs a CPU second |\n| --: | --: | --: |")
    with tempfile.TemporaryDirectory() as folder:
        for count in (20_000, 200_000):
            memory(Path(folder), count)


if __name__ == "__main__":
    main()
