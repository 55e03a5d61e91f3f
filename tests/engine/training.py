"""A method so small that a run takes a second: numbers in, two embeddings out, InfoNCE.

Run as a program it trains as ``sayso train`` does, to be killed, or to be one of several processes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from sayso.core.config import to_toml, with_flags
from sayso.data.batch import Example
from sayso.engine.train import Trainer
from sayso.engine.training_config import Training


class Numbers:
    """40 items of 6 numbers; what is said of an item is its number."""

    group = 1

    def __len__(self) -> int:
        return 40

    def name(self, item: int) -> str:
        return f"item {item}"

    def draw(self, item: int, rng: np.random.Generator) -> list[Example]:
        place = np.random.default_rng(item).standard_normal(6).astype(np.float32)
        noise = rng.standard_normal(6).astype(np.float32)
        return [Example(place + 0.1 * noise, (str(item),), 1, item, item)]


class Towers(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.seen, self.said = nn.Linear(6, 8), nn.Embedding(40, 8)
        self.frozen = nn.Parameter(torch.ones(3), requires_grad=False)
        for parameter in (self.seen.weight, self.seen.bias, self.said.weight):
            nn.init.normal_(parameter, 0, 0.3, generator=generator)
        self.dropout = nn.Dropout(dropout)

    def forward(self, seen: torch.Tensor, said: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.dropout(self.seen(seen)), self.said(said)


class TwoTowers:
    def __init__(self, dropout: float = 0.1, slow_s: float = 0.0) -> None:
        self.model, self.slow_s = Towers(dropout), slow_s

    def inputs(self, batch):
        if self.slow_s:
            import time

            time.sleep(self.slow_s)
        return torch.from_numpy(batch.features), torch.tensor([int(texts[0]) for texts in batch.texts])

    def loss(self, embeddings, batch):
        from torch.distributed import is_initialized
        from torch.distributed.nn.functional import all_gather

        seen, said = embeddings
        first = 0
        everybody = said
        if is_initialized():
            first = torch.distributed.get_rank() * len(said)
            everybody = torch.cat(all_gather(said))
        scores = seen.float() @ everybody.float().T
        return nn.functional.cross_entropy(scores, torch.arange(first, first + len(seen)))

    def save(self, folder, model, about):
        torch.save(model.state_dict(), folder / "model.pt")
        (folder / "card.txt").write_text(about)


def main() -> None:
    folder, resume, dropout, slow_s, *flags = sys.argv[1:]
    options = with_flags(Training(steps=60, batch_size=8, lr=0.1, warmup=5, save_every=7, log_every=1), flags)
    method = TwoTowers(float(dropout), float(slow_s))
    torch.set_num_threads(1)
    trainer = Trainer(method, Numbers(), options, Path(folder), config=to_toml(options), device="cpu")
    done = trainer.train(resume=resume == "resume")
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    sys.exit(130 if done.interrupted else 0)


if __name__ == "__main__":
    main()
