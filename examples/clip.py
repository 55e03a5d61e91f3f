"""Draw captioned pictures, train CLIP on them for a few steps, and classify by names.

    python examples/clip.py FOLDER

What ``sayso train clip`` does, in Python; a few steps teach it colours at most.
"""

from __future__ import annotations

import sys
from pathlib import Path

import sayso
from sayso.media.images import read_image
from sayso.toyworld import write_captioned


def main() -> None:
    """Run the example in a new folder."""
    folder = Path(sys.argv[1])
    world = write_captioned(folder / "toy", train=256, test=32, size=32)
    done = sayso.train(
        "clip", world / "train" / "captions.json", folder / "run", recipe="clip-toy", batch_size=32, steps=20
    )
    print(done)

    encoder = sayso.load_encoder(str(done.folder))
    names = ["a red ball", "a blue star", "a green cup"]
    pictures = sorted((world / "zero_shot").rglob("*.png"))[:3]
    scores = encoder.encode_images([read_image(path) for path in pictures]) @ encoder.encode_text(names).T
    for path, row in zip(pictures, scores, strict=True):
        print(path.parent.name, "->", names[int(row.argmax())])


if __name__ == "__main__":
    main()
