"""Methods so small that a run takes a second: numbers in, two embeddings out; or token losses.

Run as a program it trains as ``sayso train`` does, to be killed, or to be one of several processes.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from sayso.core.config import to_toml, with_flags
from sayso.core.distributed import gather, rank
from sayso.core.leaving import run_and_leave
from sayso.data.batch import ragged, stack
from sayso.engine.system import EmbeddingMethod, LossesMethod
from sayso.engine.train import Trainer
from sayso.engine.training_config import TrainingConfig


class Numbers:
    """40 items of 6 numbers; the caption of an item is its number."""

    group = 1

    def __len__(self) -> int:
        return 40

    def name(self, item: int) -> str:
        return f"item {item}"

    def sample(self, item: int, rng: np.random.Generator):
        place = np.random.default_rng(item).standard_normal(6).astype(np.float32)
        noise = rng.standard_normal(6).astype(np.float32)
        return [{"numbers": place + 0.1 * noise, "text": str(item)}]


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


class Saved:
    def __init__(self, state, card):
        self.state, self.card = {key: value.clone() for key, value in state.items()}, card

    def save_pretrained(self, folder):
        torch.save(self.state, folder / "model.pt")
        (folder / "card.txt").write_text(self.card)


class TwoTowers(EmbeddingMethod):
    def __init__(self, dropout: float = 0.1, slow_s: float = 0.0) -> None:
        self.model, self.slow_s, self.dataset = Towers(dropout), slow_s, Numbers()
        self.made = 0

    def collate(self, examples):
        self.made += 1
        if self.made > 8:  # a run soon has steps to show, and is then slow to end
            time.sleep(self.slow_s)
        words = np.array([int(one["text"]) for one in examples])
        return stack([{"numbers": one["numbers"]} for one in examples]) | {"words": words}

    def embed(self, model, batch):
        return model(batch["numbers"], batch["words"])

    def loss(self, embeddings, batch):
        seen, said = embeddings
        first = rank() * len(said)
        scores = seen @ gather(said).T
        return nn.functional.cross_entropy(scores, torch.arange(first, first + len(seen), device=seen.device))

    def export(self, model, card):
        return Saved(model.state_dict(), card)


class Tempered(TwoTowers):
    """The scores are multiplied by a number that is learned."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.criterion = nn.Module()
        self.criterion.scale = nn.Parameter(torch.tensor(0.5))
        self.criterion.unused = nn.Parameter(torch.tensor(2.0))

    def loss(self, embeddings, batch):
        seen, said = embeddings
        first = rank() * len(said)
        scores = self.criterion.scale.exp() * seen @ gather(said).T
        return nn.functional.cross_entropy(scores, torch.arange(first, first + len(seen), device=seen.device))

    def export(self, model, card):
        state = {f"criterion.{key}": value for key, value in self.criterion.state_dict().items()}
        return Saved({**model.state_dict(), **state}, card)


class Words(nn.Module):
    def __init__(self, several: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.seen, self.next = nn.Linear(6, 8), nn.Linear(8, 40)
        self.size = nn.Linear(6, 1) if several else lambda numbers: numbers
        self.double()

    def forward(self, numbers, counts):
        each = self.seen(numbers).tanh().repeat_interleave(counts, 0)
        return self.next(each), self.size(numbers)[:, 0]


class Captions(LossesMethod):
    """Predicts the tokens of captions of very different lengths, and how long they are.

    Args:
        several: whether there are two losses with weights of their own.
    """

    def __init__(self, several: bool = False) -> None:
        self.model, self.several, self.dataset = Words(several), several, Numbers()

    def collate(self, examples):
        items = [int(one["text"]) for one in examples]
        tokens = [np.arange(item % 7 * (item % 3)) % 40 for item in items]
        numbers = stack([{"numbers": one["numbers"].astype(np.float64)} for one in examples])
        return numbers | ragged("tokens", tokens)

    def losses(self, model, batch):
        counts = batch["tokens_counts"]
        found, size = model(batch["numbers"], counts)
        tokens = batch["tokens"].long()
        per_token = nn.functional.cross_entropy(found, tokens, reduction="sum")
        losses = {"tokens": (per_token, len(tokens))}
        if self.several:
            losses["size"] = (
                ((size - counts) ** 2).sum(),
                counts.new_tensor(float(len(counts)), dtype=torch.float64),
            )
        return losses

    def export(self, model, card):
        return Saved(model.state_dict(), card)


METHODS = {
    "towers": TwoTowers,
    "tempered": Tempered,
    "tokens": lambda *_: Captions(),
    "several": lambda *_: Captions(several=True),
}


def main() -> None:
    folder, resume, dropout, slow_s, kind, *flags = sys.argv[1:]
    config = TrainingConfig(steps=60, batch_size=8, lr=0.1, warmup=5, save_every=7, log_every=1)
    config = with_flags(config, flags)
    method = METHODS[kind](float(dropout), float(slow_s))
    torch.set_num_threads(1)
    device = os.environ.get("TRAINING_DEVICE", "cpu")
    trainer = Trainer(method, config, Path(folder), recipe=to_toml(config), device=device)
    done = trainer.train(resume=resume == "resume")
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    sys.exit(130 if done.interrupted else 0)


if __name__ == "__main__":
    run_and_leave(main)
