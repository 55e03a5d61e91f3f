"""Draw a toy corpus and train HowTo100M's joint embedding on features of the offline encoder.

    python examples/howto100m.py FOLDER

What ``sayso train howto100m`` does, in Python: features are extracted once a second, then a shallow
model learns from clips and their captions; the test clips say which checkpoint is the best.
"""

from __future__ import annotations

import sys
from pathlib import Path

import sayso
from sayso.toyworld import write_corpus


def main() -> None:
    """Run the example in a new folder."""
    if len(sys.argv) != 2:
        sys.exit("name a folder: python examples/howto100m.py FOLDER")
    folder = Path(sys.argv[1])
    toy = write_corpus(folder / "toy", videos=8, test_clips=8, size=48)
    done = sayso.train(
        "howto100m",
        toy / "train",
        folder / "run",
        test=toy / "test" / "manifest.csv",
        steps=40,
        warmup=5,
        batch_size=16,
        per_video=2,
        dim=64,
        word_dim=32,
    )
    print(done.folder, dict(done.scores))

    encoder = sayso.load(str(folder / "run"))
    print(encoder.encode_text(["lift the red cup"]).shape)


if __name__ == "__main__":
    main()
