"""Draw a toy corpus, train MIL-NCE on it for a few steps, and search with the model.

    python examples/mil_nce.py FOLDER

What ``sayso train mil-nce`` does, in Python; a few steps teach it little.
"""

from __future__ import annotations

import sys
from pathlib import Path

import sayso
from sayso.toyworld import write_corpus


def main() -> None:
    """Run the example in a new folder."""
    if len(sys.argv) != 2:
        sys.exit("name a folder: python examples/mil_nce.py FOLDER")
    folder = Path(sys.argv[1])
    write_corpus(folder / "toy", videos=20, test_clips=20)
    small = {"frames": 8, "fps": 2.5, "size": 64, "width": 0.25, "dim": 128, "batch_size": 8}
    done = sayso.train("mil-nce", folder / "toy" / "train", folder / "run", **small, steps=12, warmup=2)
    print(done)

    index = sayso.Index.open(folder / "toy.index", encoder=sayso.load(str(done.folder)))
    index.add(folder / "toy" / "test")
    for hit in index.search("lift the red cup", limit=3):
        print(hit.path, hit.span, round(hit.score, 3))


if __name__ == "__main__":
    main()
