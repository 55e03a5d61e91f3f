"""A contrastive batch that memory does not bound: its gradient is exact, its price the pictures themselves.

    python benchmarks/big_batch.py [--pairs 1024] [--micro-batch 64] [--processes 1 2] [--updates 4096 65536]
        [--size 224] [--out FILE]

First, in float64, with dropout and patch dropout: one update by ``engine`` in micro-batches, in one process
and in several real ones, beside the whole graph of the whole batch. Printed is the largest difference of a
gradient, relative to the largest entry of its tensor. Then one update of a small ViT by the trainer itself,
loader included, at several batch sizes: peak memory of a process of its own, and seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from sayso.data.batch import Batch, Example, stack, take
from sayso.engine.gradients import add_gradients
from sayso.engine.system import EmbeddingMethod
from sayso.engine.tensor_batch import TensorBatch
from sayso.engine.train import Trainer
from sayso.engine.train_state import TrainState
from sayso.engine.training_config import TrainingConfig
from sayso.evaluation.record import commit
from sayso.losses import contrastive

CPU = torch.device("cpu")
KINDS = ("softmax", "sigmoid")
WORDS, LENGTH = 1000, 8


class Towers(nn.Module):
    """A ViT that sees some of the patches, drawn anew each time, and a bag of words."""

    def __init__(
        self, patch: int, patches: int, width: int = 64, layers: int = 2, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.side, self.patch = patch, nn.Linear(patch * patch * 3, width)
        self.position = nn.Parameter(0.02 * torch.randn(patches, width))
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, layers)
        self.words = nn.EmbeddingBag(WORDS, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, image: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """Return unit embeddings (B, width) of image (B, H, W, 3) uint8 and words (B, L) int64."""
        B, H, W, _ = image.shape
        grid = image.view(B, H // self.side, self.side, W // self.side, self.side, 3).transpose(2, 3)
        patches = grid.reshape(B, len(self.position), -1)
        seen = torch.rand(patches.shape[:2], device=image.device).argsort(1)[:, : patches.shape[1] // 2]
        pixels = patches[torch.arange(B, device=image.device)[:, None], seen].to(self.position.dtype) / 255
        x = self.layers(self.patch(pixels) + self.position[seen]).mean(1)
        return F.normalize(x, dim=1), F.normalize(self.words(self.dropout_words(words)), dim=1)

    def dropout_words(self, words: Tensor) -> Tensor:
        """Return words, of which some are replaced by the first of all."""
        return torch.where(self.dropout(torch.ones(words.shape, device=words.device)) > 0, words, 0)


class Noise:
    """Pictures of noise, and words."""

    group = 1

    def __init__(self, count: int, size: int) -> None:
        self.count, self.size = count, size

    def __len__(self) -> int:
        return self.count

    def name(self, item: int) -> str:
        """Return its number."""
        return str(item)

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:  # noqa: ARG002
        """Return the same for an item whenever it is asked for."""
        drawn = np.random.default_rng(item)
        image = drawn.integers(0, 256, (self.size, self.size, 3), np.uint8)
        return [{"image": image, "words": drawn.integers(0, WORDS, LENGTH)}]


class Saved:
    """What the trainer asks for at a checkpoint."""

    def save_pretrained(self, folder: Path) -> None:
        """Write nothing: the trainer keeps what it needs."""


class Pairs(EmbeddingMethod):
    """Pictures and words into one space, by either loss, with what the loss learns."""

    def __init__(self, count: int, size: int, patch: int, kind: str = "softmax") -> None:
        torch.manual_seed(0)
        self.kind, self.dataset = kind, Noise(count, size)
        self.model = Towers(patch, (size // patch) ** 2)
        self.criterion = nn.ParameterDict({"log_scale": torch.tensor(2.66), "bias": torch.tensor(-10.0)})

    def collate(self, examples: Sequence[Example]) -> Batch:
        """Return ``image`` and ``words``."""
        return stack(examples)

    def embed(self, model: nn.Module, batch: TensorBatch) -> tuple[Tensor, Tensor]:
        """Return both embeddings."""
        embeddings: tuple[Tensor, Tensor] = model(batch["image"], batch["words"])
        return embeddings

    def loss(self, embeddings: tuple[Tensor, ...], batch: TensorBatch) -> Tensor:  # noqa: ARG002
        """Return the loss, by scores that are not kept."""
        t = self.criterion.get_parameter("log_scale")
        if self.kind == "sigmoid":
            return contrastive(*embeddings, t, kind="sigmoid", bias=self.criterion.get_parameter("bias"))
        return contrastive(*embeddings, t, keep_bytes=0)

    def after_update(self) -> None:
        """Keep 1 / temperature at 100 or less."""
        with torch.no_grad():
            self.criterion.get_parameter("log_scale").clamp_(max=np.log(100))

    def export(self, model: nn.Module, card: str) -> Saved:  # noqa: ARG002
        """Return nothing of use."""
        return Saved()


def double(pairs: int, kind: str) -> tuple[Pairs, Batch]:
    """Return a method in float64, and a batch for it."""
    method = Pairs(pairs, 32, 8, kind)
    method.model.double().train()
    method.criterion.double()
    return method, stack([method.dataset.sample(item, np.random.default_rng())[0] for item in range(pairs)])


def parameters(method: Pairs) -> dict[str, Tensor]:
    return {**dict(method.model.named_parameters()), **dict(method.criterion.named_parameters())}


def updated(pairs: int, micro_batch: int, kind: str) -> dict[str, Tensor]:
    """Return by what one update of plain descent changes the weights: the gradient."""
    method, batch = double(pairs, kind)
    config = TrainingConfig(optimizer="sgd", momentum=0.0, micro_batch=micro_batch, batch_size=pairs)
    state = TrainState(method.model, config, "cpu", criterion=method.criterion)
    before = {name: value.detach().clone() for name, value in parameters(method).items()}
    rank, each = state.accelerator.process_index, pairs // state.accelerator.num_processes
    torch.manual_seed(rank)
    add_gradients(method, state, iter([take(batch, rank * each, (rank + 1) * each)]))
    state.update(1.0)
    return {name: before[name] - value.detach() for name, value in parameters(method).items()}


def whole_graph(pairs: int, micro_batch: int, kind: str, processes: int) -> dict[str, Tensor]:
    """Return the gradient of the whole batch from one graph that holds all of it."""
    method, batch = double(pairs, kind)
    each, embedded = pairs // processes, []
    for rank in range(processes):
        torch.manual_seed(rank)
        for start in range(rank * each, (rank + 1) * each, micro_batch):
            part = take(batch, start, min(start + micro_batch, (rank + 1) * each))
            embedded.append(method.model(*(torch.from_numpy(part[key]) for key in ("image", "words"))))
    image, text = (torch.cat(parts) for parts in zip(*embedded, strict=True))
    t, b = (method.criterion.get_parameter(name) for name in ("log_scale", "bias"))
    scores, own = t.exp() * image @ text.T, torch.eye(pairs, dtype=image.dtype)
    if kind == "sigmoid":
        loss = -F.logsigmoid((2 * own - 1) * (scores + b)).sum() / pairs
    else:
        loss = -(own * (scores.log_softmax(0) + scores.log_softmax(1))).sum() / (2 * pairs)
    loss.backward()
    return {n: torch.zeros_like(v) if v.grad is None else v.grad for n, v in parameters(method).items()}


def in_processes(count: int, arguments: list[str], out: Path) -> None:
    """Run this file in ``count`` processes that train together."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    group = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    group |= {"ACCELERATE_USE_CPU": "true"} if count > 1 else {}
    environment = {**os.environ, **(group if count > 1 else {})}
    running = [
        subprocess.Popen(
            [sys.executable, __file__, *arguments, "--out", str(out)],
            env={**environment, "RANK": str(rank), "LOCAL_RANK": str(rank)} if count > 1 else environment,
        )
        for rank in range(count)
    ]
    codes = [process.wait() for process in running]
    if any(codes):
        raise SystemExit("a process failed")


def print_gradients(pairs: int, micro_batch: int, processes: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        sizes = ["--pairs", str(pairs), "--micro-batch", str(micro_batch)]
        in_processes(processes, ["--child-gradients", *sizes], Path(folder) / "gradients.pt")
        found = torch.load(Path(folder) / "gradients.pt", weights_only=True)
    rows = []
    for kind in KINDS:
        expected = whole_graph(pairs, micro_batch, kind, processes)
        off = {
            name: float((found[kind][name] - value).abs().max() / value.abs().max().clamp_min(1e-300))
            for name, value in expected.items()
            if value.any() or found[kind][name].any()
        }
        worst = max(off, key=lambda name: off[name])
        print(
            f"{kind}, {pairs:,} pairs in micro-batches of {micro_batch}, {processes} process(es): "
            f"largest difference {off[worst]:.1e} ({worst}), of the temperature {off['log_scale']:.1e}",
            flush=True,
        )
        rows.append(
            {"kind": kind, "processes": processes, "largest": off[worst], "log_scale": off["log_scale"]}
        )
    return rows


def print_update(pairs: int, micro_batch: int, size: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        sizes = ["--pairs", str(pairs), "--micro-batch", str(micro_batch), "--size", str(size)]
        in_processes(1, ["--child-update", *sizes], Path(folder) / "update.json")
        found: dict[str, Any] = json.loads((Path(folder) / "update.json").read_text())
    print(
        f"{pairs:,} pictures of {size} x {size}, themselves {pairs * size * size * 3 / 1e9:.2f} GB: "
        f"peak {found['peak_gb']:.2f} GB, {found['seconds']:.0f} s for one update, {found['cpu_s']:.0f} "
        f"CPU seconds with the start, loss {found['loss']:.3f}",
        flush=True,
    )
    return found


def child_update(pairs: int, micro_batch: int, size: int) -> dict[str, Any]:
    method = Pairs(pairs, size, 32)
    config = TrainingConfig(steps=1, batch_size=pairs, micro_batch=micro_batch, warmup=0, betas=(0.9, 0.98))
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        Trainer(method, config, Path(folder), device="cpu").train()
        seconds, cpu = time.perf_counter() - start, time.process_time()
        loss = json.loads((Path(folder) / "log.jsonl").read_text().splitlines()[0])["loss"]
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e9
    return {"pairs": pairs, "peak_gb": peak, "seconds": seconds, "cpu_s": cpu, "loss": loss}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=1024, help="of the exact gradient; 0: leave it out")
    parser.add_argument("--micro-batch", type=int, default=64)
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--updates", type=int, nargs="*", default=[4096, 65536], help="batch sizes")
    parser.add_argument("--size", type=int, default=224, help="side of the pictures, pixels")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child-gradients", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--child-update", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    options = parse()
    if options.child_gradients:
        gradients = {kind: updated(options.pairs, options.micro_batch, kind) for kind in KINDS}
        if int(os.environ.get("RANK", "0")) == 0:
            torch.save(gradients, options.out)
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        return
    if options.child_update:
        options.out.write_text(json.dumps(child_update(options.pairs, options.micro_batch, options.size)))
        return
    rows = [
        row
        for processes in options.processes
        if options.pairs
        for row in print_gradients(options.pairs, options.micro_batch, processes)
    ]
    updates = [print_update(pairs, options.micro_batch, options.size) for pairs in options.updates]
    if options.out:
        options.out.write_text(json.dumps({"commit": commit(), "gradients": rows, "updates": updates}))


if __name__ == "__main__":
    main()
