"""Draw the pictures of system pages that no notebook shows (extras corpus, offline, plots, solvers).

    python docs/plots.py [corpus] [llava] [instruction_steps]

``systems/corpus.webp``: which titles the title classifier holds for tasks that can be seen.
``systems/llava.webp``: what LLaVA's first stage learned, from the table in ``benchmarks/RESULTS.md``.
``systems/instruction_steps.webp``: the page that ``sayso steps`` writes of the sample's videos, as Chromium
shows it (``pip install playwright``).
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import tempfile
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from PIL import Image
from playwright.sync_api import sync_playwright

from sayso.systems.corpus import score_tasks
from sayso.systems.instruction_steps import StepsOptions, StepsRecipe, run
from sayso.toyworld import write_sample
from sayso.toyworld.tasks import task_steps

HERE = Path(__file__).parent
RESULTS = HERE.parent / "benchmarks" / "RESULTS.md"
TITLES = (
    *("Change a Flat Tire", "Fold a Paper Crane", "Peel Garlic", "Tie a Tie", "Make Pancakes", "Prune Roses"),
    *("Be Happy", "Apologize to a Friend", "Understand the Stock Market", "Stop Worrying", "Paint a Fence"),
    *("Choose a Career", "Sharpen a Knife", "Save for Retirement"),
)
ROW = re.compile(r"^\| (.+?) \| ([\d.]+) ± ([\d.]+) \|", re.MULTILINE)


def titles(path: Path) -> None:
    """Draw the scores of some titles as bars."""
    tasks = sorted(score_tasks(TITLES), key=lambda task: task.score)
    _, axis = plt.subplots(figsize=(7, 3.8))
    bars = axis.barh(
        [task.title for task in tasks],
        [task.score for task in tasks],
        color=["C1" if task.visual else "silver" for task in tasks],
    )
    axis.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
    axis.set(xlim=(0, 1.1), xlabel="held for a task that can be seen (orange: kept)")
    save(path)


def choices(path: Path) -> None:
    """Draw how often LLaVA's caption was right against another picture's, with the seeds' deviation."""
    section = RESULTS.read_text(encoding="utf-8").partition("--system llava")[2].partition("\n## ")[0]
    rows = [(name, float(mean), float(spread)) for name, mean, spread in ROW.findall(section)][::-1]
    names, means, spreads = zip(*rows, strict=True)
    _, axis = plt.subplots(figsize=(7, 2.2))
    axis.barh(names, means, xerr=spreads, color="C1", capsize=3)
    axis.axvline(0.5, color="grey", ls=":")
    axis.set(xlim=(0, 1), xlabel="own caption likelier than another picture's (dotted: chance)")
    save(path)


def steps_page(path: Path) -> None:
    """Take the picture of the page of steps."""
    with tempfile.TemporaryDirectory() as folder:
        sample = write_sample(Path(folder) / "sample")
        recipe = StepsRecipe(num_steps=len(task_steps(0, 0)), before_s=5, after_s=5)
        result = run(sample / "howto", StepsOptions(recipe=recipe, model="offline"))
        page_file, *_ = result.write(Path(folder) / "task.steps")
        with sync_playwright() as driver:
            flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
            page = browser.new_page(viewport={"width": 880, "height": 800})
            page.goto(page_file.as_uri())
            taken = page.screenshot()
            browser.close()
    Image.open(io.BytesIO(taken)).convert("RGB").save(path, quality=70, method=6)


def save(path: Path) -> None:
    """Write the figure that was drawn last as WebP."""
    plt.tight_layout()
    held = io.BytesIO()
    plt.savefig(held, dpi=110)
    plt.close()
    Image.open(held).convert("RGB").save(path, quality=70, method=6)


PICTURES = {"corpus": titles, "llava": choices, "instruction_steps": steps_page}


if __name__ == "__main__":
    mpl.use("agg")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(PICTURES)}; else all")
    for name in parser.parse_args().names or PICTURES:
        PICTURES[name](HERE / "systems" / f"{name}.webp")
