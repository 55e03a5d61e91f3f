"""Seconds to say of many how-to titles which can be seen.

    python benchmarks/corpus_tasks.py [--titles 12000]

Titles are put together from verbs, things and places, so that they are as long as real ones. The text tower
is the cost: the same titles through it one by one are printed beside.
"""

from __future__ import annotations

import argparse
import itertools
import time

import numpy as np

from sayso.models.minilm import MiniLM
from sayso.systems.corpus import score_tasks

VERBS = ("Make", "Peel", "Get", "Use", "Clean", "Write", "Change", "Build", "Prevent", "Find", "Treat")
THINGS = ("a Paper Crane", "Garlic Bread", "a Facebook Account", "Your Hair", "a Bike Tire", "an Essay")
PLACES = ("", "at Home", "in Minecraft", "for Kids", "Without a Knife", "Using Vinegar and Salt")
PLAN = 120_000


def main() -> None:
    """Print titles a second, and what that makes of WikiHow's 120,000."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--titles", type=int, default=12_000)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    known = [" ".join(filter(None, parts)) for parts in itertools.product(VERBS, THINGS, PLACES)]
    titles = [known[k] for k in rng.integers(0, len(known), options.titles)]
    score_tasks(titles[:64])  # loads the tower
    start, cpu = time.perf_counter(), time.process_time()
    score_tasks(titles)
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    embed, some = MiniLM(), titles[:100]
    cpu = time.process_time()
    for title in some:
        embed([title])
    single = len(some) / (time.process_time() - cpu)
    rate, minutes = len(titles) / used, PLAN / len(titles) * seconds / 60
    print(f"{len(titles):,} titles in {seconds:.1f} s, {used:.1f} CPU s: {rate:.0f} a CPU second")
    print(f"one by one: {single:.0f} a CPU second; {PLAN:,} titles would take {minutes:.1f} minutes")


if __name__ == "__main__":
    main()
