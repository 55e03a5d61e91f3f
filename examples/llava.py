"""Make a picture tower's output words of a language model: captions first, then dialogues, and ask.

    python examples/llava.py FOLDER

What ``sayso train llava`` does in both stages, in Python; a few steps teach it little. It takes ``smollm2``,
which ``sayso pull smollm2`` brings, or another language model's folder as a second argument.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import sayso
from sayso.generators import Decoding, Prompt, load_generator

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 220), "yellow": (240, 240, 20)}


def main() -> None:
    """Run the example in a new folder."""
    folder = Path(sys.argv[1])
    language_model = sys.argv[2] if len(sys.argv) > 2 else "smollm2"
    folder.mkdir(parents=True, exist_ok=True)
    captions, dialogues = [], []
    for n, name in enumerate([*COLOURS] * 2):
        Image.fromarray(np.full((64, 64, 3), COLOURS[name], np.uint8)).save(folder / f"{n}.png")
        captions.append({"path": f"{n}.png", "text": f"a {name} square"})
        told = [
            ("human", "<image>\nWhat colour is it?"),
            ("gpt", name),
            ("human", "Is it round?"),
            ("gpt", "no"),
        ]
        turns = [{"from": who, "value": text} for who, text in told]
        dialogues.append({"image": f"{n}.png", "conversations": turns})
    (folder / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in captions))
    (folder / "dialogues.json").write_text(json.dumps(dialogues))

    small = {"language_model": language_model, "grid": 2, "batch_size": 8, "warmup": 2, "steps": 6}
    first = sayso.train("llava", folder / "captions.jsonl", folder / "stage1", **small)
    second = sayso.train(
        "llava", folder / "dialogues.json", folder / "stage2", init=str(first.folder), **small
    )
    print(second)

    model = load_generator(str(second.folder))
    blue = np.full((64, 64, 3), COLOURS["blue"], np.uint8)
    prompt = Prompt.ask("What colour is it?", [blue])
    print(model.generate([prompt], Decoding(max_new_tokens=6)))
    print(model.log_likelihood([prompt], [*COLOURS]).round(2))


if __name__ == "__main__":
    main()
