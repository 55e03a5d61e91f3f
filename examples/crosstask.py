"""Plant a small release of CrossTask's shape, learn its steps from narration, and place them in a new video.

    python examples/crosstask.py FOLDER

What ``sayso train crosstask`` does, in Python. Features are drawn: a step looks like its two words, so that
"pour milk", a step of no task that was learned, follows from "pour water" and "stir milk".
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import sayso
from sayso.systems import crosstask

STEPS = ("pour water", "stir milk", "add ice")
WORDS = sorted({word for step in STEPS for word in step.split()})


def write_release(folder: Path, videos: int = 12, seconds: int = 30) -> None:
    """Write lists, narration windows and features; windows are right 7 times of 10."""
    rng = np.random.default_rng(0)
    looks = dict(zip(WORDS, np.linalg.qr(rng.normal(size=(16, 16)))[0], strict=False))
    for name in ("constraints", "features"):
        (folder / name).mkdir(parents=True)
    (folder / "tasks_primary.txt").write_text(f"7\nA drink\nx\n{len(STEPS)}\n{','.join(STEPS)}\n")
    (folder / "videos.csv").write_text("".join(f"7,v{n},x\n" for n in range(videos)))
    (folder / "videos_val.csv").write_text(f"7,v{videos - 1},x\n")
    for n in range(videos):
        times = np.sort(rng.choice(seconds // 3, len(STEPS), replace=False)) * 3
        features, windows = 0.1 * rng.normal(size=(seconds, 16)), []
        for c, (step, t) in enumerate(zip(STEPS, times, strict=True)):
            features[t : t + 3] += sum(looks[word] for word in step.split())
            mention = t if rng.random() < 0.7 else rng.integers(0, seconds - 6)
            windows.append(f"{c + 1},{mention},{mention + 6}\n")  # the step, from 1; start and end in seconds
        np.save(folder / "features" / f"v{n}.npy", features.astype(np.float32))
        (folder / "constraints" / f"7_v{n}.csv").write_text("".join(windows))


def main() -> None:
    """Run the example in a new folder."""
    if len(sys.argv) != 2:
        sys.exit("name a folder: python examples/crosstask.py FOLDER")
    folder = Path(sys.argv[1])
    release = folder / "release"
    write_release(release)
    done = sayso.train(
        "crosstask",
        release,
        folder / "run",
        features=str(release / "features"),
        steps=60,
        batch_size=6,
        warmup=1,
    )
    model = crosstask.StepClassifier.from_pretrained(done.folder)
    features = np.load(release / "features" / "v11.npy")  # kept aside
    print("seconds of the steps:", model.place(features, "7").tolist())
    print("of a new task:", model.place(features, "new", ["pour milk", "add ice"]).tolist())


if __name__ == "__main__":
    main()
