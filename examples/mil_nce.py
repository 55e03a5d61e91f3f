"""Draw a toy corpus, train MIL-NCE on it for a few steps, and search with the model.

    python examples/mil_nce.py FOLDER

Shows the pieces that ``sayso train mil-nce`` puts together; a few steps teach it little.
"""

from __future__ import annotations

import sys
from pathlib import Path

import sayso
from sayso.core.config import to_toml
from sayso.data import read_corpus
from sayso.engine.train import Trainer
from sayso.systems.mil_nce import MilNce, Recipe
from sayso.toyworld import write_corpus


def main() -> None:
    """Run the example in a new folder."""
    folder = Path(sys.argv[1])
    write_corpus(folder / "toy", videos=40, test_clips=40)
    corpus = read_corpus(folder / "toy" / "train")
    recipe = Recipe(frames=8, fps=2.5, size=64, width=0.25, dim=128, batch_size=16, steps=30, warmup=5)
    method = MilNce(recipe, corpus)
    trainer = Trainer(method, method.examples(corpus), recipe, folder / "run", config=to_toml(recipe))
    print(trainer.train())

    index = sayso.Index.open(folder / "toy.index", encoder=sayso.load(str(folder / "run")))
    index.add(folder / "toy" / "test")
    for hit in index.search("lift the red cup", limit=3):
        print(hit.media, hit.span, round(hit.score, 3))


if __name__ == "__main__":
    main()
