"""A small release in CrossTask's form, with features in which steps can be seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sayso.systems import crosstask

TASKS = {"7": ("pour water", "stir milk", "add ice"), "8": ("add water", "pour milk")}


def plant(folder: Path, videos: int = 12) -> Path:
    """Write a release of two tasks whose words have looks, half of the windows wrong; return it."""
    rng = np.random.default_rng(0)
    words = sorted({word for steps in TASKS.values() for step in steps for word in step.split()})
    looks = dict(zip(words, np.linalg.qr(rng.normal(size=(16, 16)))[0], strict=False))
    lists = {"videos.csv": [], "videos_val.csv": []}
    for name in ("annotations", "constraints", "features"):
        (folder / name).mkdir(parents=True)
    for task, steps in TASKS.items():
        for number in range(videos):
            video = f"v{task}{number}"
            lists["videos.csv"].append(f"{task},{video},x")
            if number >= videos - 4:
                lists["videos_val.csv"].append(f"{task},{video},x")
            at = np.sort(rng.choice(10, len(steps), replace=False)) * 3
            X = 0.1 * rng.normal(size=(30, 16))
            windows = []
            for k, (step, t) in enumerate(zip(steps, at, strict=True)):
                X[t : t + 3] += looks[step.split()[0]] + looks[step.split()[1]]
                told = t if rng.random() < 0.6 else rng.integers(0, 24)
                windows.append(f"{k + 1},{max(0, told - 2)},{told + 4.5}\n")
            np.save(folder / "features" / f"{video}.npy", X.astype(np.float32))
            (folder / "constraints" / f"{task}_{video}.csv").write_text("".join(windows))
            rows = "".join(f"{k + 1},{t},{t + 3}\n" for k, t in enumerate(at))
            (folder / "annotations" / f"{task}_{video}.csv").write_text(rows)
    for name, rows in lists.items():
        (folder / name).write_text("\n".join(rows) + "\n")
    tasks = (f"{task}\nTask {task}\nx\n{len(steps)}\n{','.join(steps)}\n" for task, steps in TASKS.items())
    (folder / "tasks_primary.txt").write_text("\n".join(tasks))
    return folder


def batch_of(method: crosstask.CrossTask, items: list[int], epoch: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    examples = [one for item in items for one in method.dataset.sample(item, rng)]
    return method.collate(examples) | {"epoch": np.array(epoch)}
