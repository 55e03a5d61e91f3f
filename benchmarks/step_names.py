"""The names that stage 1 of ``sayso steps`` gives to the steps of real tasks.

    python benchmarks/step_names.py --crosstask RELEASE [--seeds 3] [--rules]
    python benchmarks/step_names.py --captions YOUCOOK2.csv [--rules]

--crosstask: real tasks, real orders. Each video tells the steps that are annotated in it, when and as often
as they are, in words made of the release's step names ("next put the steak on grill"): three in ten
are not told, as many lines are chatter, times are off by a standard deviation of 5 s. The number of steps is
given. Precision and recall of the list: of the discovered names that are one of the task's steps, of the
steps that can be named (some, "brake on", are no verb with an object) that are discovered.

--captions: sentences that people wrote (end, start, task, text, video_id), told in their order. There
is no list to compare with; what is found is printed, the tasks with most videos first.

--rules: verbs and objects by rules, not by spaCy.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from sayso.core.errors import SaysoError
from sayso.core.types import Caption, Span
from sayso.data.datasets.crosstask import read_segments, read_tasks
from sayso.systems.instruction_steps import discover_script
from sayso.text.language.actions import load_parser
from sayso.text.language.narration import mentions
from sayso.toyworld.words import OPENINGS, chatter

LAG_S, UNTOLD = 5.0, 0.3


def sentence(step: str, opening: str = "now") -> str:
    verb, _, rest = step.partition(" ")
    return f"{opening} {verb} the {rest}.".strip() if rest else f"{opening} {verb}."


def narration(rng: np.random.Generator, segments: list[Any], steps: tuple[str, ...]) -> list[Caption]:
    """Return what somebody might say who does what is annotated."""
    said = []
    for segment in segments:
        if rng.random() >= UNTOLD:
            start = max(0.0, segment.start + LAG_S * rng.normal())
            said.append((start, sentence(steps[segment.step], str(rng.choice(OPENINGS)))))
        if rng.random() < UNTOLD:
            said.append((segment.start + rng.uniform(0, 20), f"{chatter(rng)}."))
    return [Caption(Span(start, start + 2), text) for start, text in sorted(said)]


def crosstask(release: Path, seeds: int, parser: Any) -> None:
    print("| task | videos | steps | precision | recall | discovered (first seed) |")
    print("| --- | --: | --: | --: | --: | --- |")
    every = []
    for number, task in read_tasks(release / "tasks_primary.txt").items():
        files = sorted((release / "annotations").glob(f"{number}_*.csv"))
        segments = [read_segments(file, len(task.steps)) for file in files]
        told = [mentions([Caption(Span(0, 2), sentence(step))], parser) for step in task.steps]
        known = {found[0].phrase for found in told if found}
        scores, names = [], []
        for seed in range(seeds):
            rng = np.random.default_rng([seed, int(number)])
            said = [mentions(narration(rng, rows, task.steps), parser) for rows in segments]
            names.append([step.name for step in discover_script(said, len(known), seed=seed)])
            right = len(known & set(names[-1]))
            scores.append((right / len(names[-1]), right / len(known)))
        precision, recall = np.mean(scores, 0)
        every.append(scores)
        found = ", ".join(names[0])
        print(f"| {task.name} | {len(files)} | {len(known)} of {len(task.steps)} ", end="")
        print(f"| {precision:.2f} | {recall:.2f} | {found} |", flush=True)
    of_seeds = np.mean(every, 0)
    means, spreads = of_seeds.mean(0), of_seeds.std(0)
    print(f"all: precision {means[0]:.3f} +- {spreads[0]:.3f}, recall {means[1]:.3f} +- {spreads[1]:.3f}")


def captions(path: Path, parser: Any, tasks: int = 20) -> None:
    videos: dict[str, dict[str, list[Caption]]] = defaultdict(lambda: defaultdict(list))
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            span = Span(float(row["start"]), float(row["end"]))
            videos[row["task"]][row["video_id"]].append(Caption(span, row["text"] + "."))
    for task, told in sorted(videos.items(), key=lambda item: -len(item[1]))[:tasks]:
        try:
            script = discover_script([mentions(said, parser) for said in told.values()])
        except SaysoError as error:
            print(f"{task:>5} {len(told)} videos: {error}")
            continue
        names = ", ".join(f"{step.name} ({len(step.mentions)})" for step in script)
        print(f"{task:>5} {len(told)} videos: {names}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--crosstask", type=Path, metavar="RELEASE")
    parser.add_argument("--captions", type=Path, metavar="CSV")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rules", action="store_true")
    asked = parser.parse_args()
    reader = None if asked.rules else load_parser()
    if asked.crosstask:
        crosstask(asked.crosstask, asked.seeds, reader)
    if asked.captions:
        captions(asked.captions, reader)


if __name__ == "__main__":
    main()
