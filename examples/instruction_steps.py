"""Narrated videos of one task: its steps, their names, and when they happen; then in a silent video.

    python examples/instruction_steps.py FOLDER

The videos are drawn, and so are their features: what an encoder would see in each second. Without
``features`` an encoder looks at the videos, as ``sayso steps FOLDER`` does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from sayso import Caption
from sayso.systems import instruction_steps
from sayso.text import write_vtt
from sayso.toyworld import render
from sayso.toyworld.tasks import task_features, task_steps, task_video
from sayso.toyworld.write import write_video

SEED, TASK, VIDEOS, FPS = 20, 0, 8, 2


def main() -> None:
    """Run the example in a folder."""
    if len(sys.argv) != 2:
        sys.exit("name a folder: python examples/instruction_steps.py FOLDER")
    folder = Path(sys.argv[1])
    for number in range(VIDEOS):
        draw_video(folder / "task", folder / "features", number)
    draw_video(folder / "new", folder / "features", VIDEOS, silent=True)

    recipe = instruction_steps.StepsRecipe(num_steps=6, before_s=5, after_s=5, iterations=100)
    options = instruction_steps.StepsOptions(recipe=recipe, features=folder / "features")
    result = instruction_steps.run(folder / "task", options)
    page, *_ = result.write(folder / "task.steps")

    print("\n".join(result.table()))
    print("the task is:", ", ".join(" ".join(step) for step in task_steps(SEED, TASK)))
    print("look at:", page)
    other = instruction_steps.apply(folder / "task.steps", [folder / "new"], options)
    for step in other.videos[0]["steps"]:
        print(f"{step['start_s']:5.1f} to {step['end_s']:5.1f} s  {step['name']}")


def draw_video(videos: Path, features: Path, number: int, *, silent: bool = False) -> None:
    """Write a video of the task, the captions beside it, and its features."""
    videos.mkdir(parents=True, exist_ok=True)
    features.mkdir(exist_ok=True)
    video = task_video(SEED, TASK, number)
    write_video(videos / f"video-{number}.mp4", render(video, size=32, fps=FPS), FPS)
    np.save(features / f"video-{number}.npy", task_features(SEED, video, noise=0.7))
    if not silent:
        captions = [Caption(line.span, line.text) for line in video.lines]
        (videos / f"video-{number}.vtt").write_text(write_vtt(captions))


if __name__ == "__main__":
    main()
