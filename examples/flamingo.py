"""Teach a language model to see: draw pictures of colours, train Flamingo on them, and ask.

    python examples/flamingo.py FOLDER

What ``sayso train flamingo`` does, in Python; a few steps teach it little. It takes ``smollm2``, which
``sayso pull smollm2`` brings, or another language model's folder as a second argument.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import sayso
from sayso.generators import Decoding, Exchange, Prompt, load_generator

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 220), "yellow": (240, 240, 20)}


def main() -> None:
    """Run the example in a new folder."""
    folder = Path(sys.argv[1])
    language_model = sys.argv[2] if len(sys.argv) > 2 else "smollm2"
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    rows = []
    for n, name in enumerate([*COLOURS] * 4):
        pixels = np.clip(np.array(COLOURS[name]) + rng.integers(-25, 25, (64, 64, 3)), 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{n}.png")
        rows.append({"path": f"{n}.png", "text": f"a {name} square"})
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    small = {"dim": 64, "depth": 1, "latents": 4, "layers": (1, 3), "batch_size": 8, "warmup": 2}
    done = sayso.train(
        "flamingo", folder / "pairs.jsonl", folder / "run", language_model=language_model, **small, steps=12
    )
    print(done)

    model = load_generator(str(done.folder))
    red, blue = (np.full((64, 64, 3), COLOURS[name], np.uint8) for name in ("red", "blue"))
    shots = [Exchange("", (red,), "a red square")]
    prompts = [Prompt.ask("", [blue]), Prompt.ask("", [blue], shots=shots)]
    print(model.generate(prompts, Decoding(max_new_tokens=6)))
    print(model.log_likelihood(prompts, ["a red square", "a blue square"]).round(2))


if __name__ == "__main__":
    main()
