"""A small episode as the data set of TV person identification has them: three people who take turns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

WORDS = (
    *("apple", "river", "window", "candle", "garden", "silver", "thunder", "pocket", "lantern", "meadow"),
    *("copper", "saddle", "ribbon", "anchor", "feather", "orchard", "velvet", "harbor", "pebble", "marble"),
)
PEOPLE = ("anna", "bela", "cleo")
LINES = 30


def write_episode(folder: Path, name: str = "tiny", *, wrong_speaker: int | None = None) -> Path:
    """Write an episode of 30 lines, and a face track of the speaker in each.

    Args:
        folder: where to.
        name: of the files.
        wrong_speaker: a line whose transcript names another person than speaks.
    """
    rng = np.random.default_rng(0)
    lines, faces = [], []
    for n in range(LINES):
        who = PEOPLE[n % 3]
        text = " ".join(rng.choice(WORDS, 6).tolist())
        written = PEOPLE[(n + 1) % 3] if n == wrong_speaker else who
        start = 70.0 * (n // 10) + 5.0 * n
        lines.append(
            {
                "start": start,
                "end": start + 3,
                "text": text.capitalize() + ".",
                "true_speaker": who,
                "transcript_text": text,
                "transcript_speaker": written,
            }
        )
        lips = rng.normal(0, 4.0, 75).tolist()
        faces.append(
            {
                "start": start,
                "end": start + 3,
                "box": [10 + 40 * (n % 3), 10, 30, 30],
                "lip_motion": [abs(value) for value in lips],
                "name": who,
            }
        )
    (folder / f"{name}.subtitles.json").write_text(json.dumps(lines))
    (folder / f"{name}.tracks.json").write_text(json.dumps(faces))
    (folder / f"{name}.videvents").write_text("HEAD\n" + "".join(f"{n} {n * 5.0} CUT\n" for n in range(45)))
    return folder
