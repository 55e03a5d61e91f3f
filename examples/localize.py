"""Pictures with tags teach a network where things are; nobody draws a box.

    python examples/localize.py FOLDER

Draws scenes of the toy world, trains on their tags for a few steps (the recipe ``localize-toy`` takes
longer and points better), and shows where the network finds what.
"""

from __future__ import annotations

import sys
from pathlib import Path

import sayso
from sayso.systems import localize
from sayso.toyworld import write_scenes


def main() -> None:
    """Run the example in a new folder."""
    if len(sys.argv) != 2:
        sys.exit("name a folder: python examples/localize.py FOLDER")
    folder = Path(sys.argv[1])
    scenes = write_scenes(folder / "scenes", train=16, test=2, size=96)
    small = {"size": 96, "views": 1, "scales": [1.0, 1.4], "batch_size": 8, "workers": 1}
    sayso.train("localize", scenes / "train", folder / "run", **small, steps=10, warmup=2)

    options = localize.LocalizeOptions(tags=["cup", "star"])
    result = localize.run(folder / "run", [scenes / "test"], options)
    result.write(folder / "located")
    print("\n".join(result.table()))


if __name__ == "__main__":
    main()
