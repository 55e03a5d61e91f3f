"""MIL-NCE forward and backward: ours next to the plain formula, time and peak memory, in one run.

    python benchmarks/losses.py [--batches 128 256 512 1024 2048 4096] [--rounds 5] [--out FILE]

The plain formula is what public code does: the scores as (B, B, K), a mask, both directions side by
side, two log-sum-exps, and autograd. The three matrix products (scores, and the two gradients)
are timed alone: nothing can be faster than they. K = 5, D = 512, float32. Times are the median of
rounds in which both take turns; memory is what the process held at most, beyond its inputs, in a
process of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from sayso.evaluation.record import commit
from sayso.losses import mil_nce

K, D = 5, 512


def plain(video: Tensor, text: Tensor) -> Tensor:
    """Follow the formula, positives counted twice."""
    B = len(video)
    score = (video @ text.flatten(0, 1).T).view(B, B, K)
    positive = (score * torch.eye(B)[..., None]).sum(1).logsumexp(1)
    both = torch.cat([score, score.permute(1, 0, 2)], 1).view(B, -1).logsumexp(1)
    return (both - positive).mean()


def products(video: Tensor, text: Tensor) -> None:
    flat = text.detach().flatten(0, 1)
    score = video.detach() @ flat.T
    score @ flat
    score.T @ video.detach()


def step(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], None]:
    def run(video: Tensor, text: Tensor) -> None:
        video.grad = text.grad = None
        loss(video, text).backward()

    return run


WAYS = {
    "plain": step(plain),
    "ours": step(lambda v, t: mil_nce(v, t, double_count=True)),
    "products": products,
}


def inputs(B: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    video, text = torch.randn(B, D), torch.randn(B, K, D)
    return (0.05 * video).requires_grad_(), (0.05 * text).requires_grad_()


def peak_mb(name: str, B: int) -> float:
    """Run one way once in a process of its own; return by how much its memory grew."""
    done = subprocess.run(
        [sys.executable, __file__, "--child", name, "--batches", str(B)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def child(name: str, B: int) -> None:
    WAYS[name](*inputs(4))
    video, text = inputs(B)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = most_kb()
    WAYS[name](video, text)
    print((most_kb() - before) / 1024)


def most_kb() -> int:
    """Return the most memory that this process has held."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def measure(B: int, rounds: int) -> dict[str, float]:
    video, text = inputs(B)
    times: dict[str, list[float]] = {name: [] for name in WAYS}
    for number in range(rounds + 1):
        for name, way in WAYS.items():
            start = time.perf_counter()
            way(video, text)
            if number:
                times[name].append(1e3 * (time.perf_counter() - start))
    result = {f"{name}_ms": statistics.median(taken) for name, taken in times.items()}
    result |= {f"{name}_mb": peak_mb(name, B) for name in ("plain", "ours")}
    return {
        "B": B,
        **result,
        "faster": result["plain_ms"] / result["ours_ms"],
        "less": result["plain_mb"] / result["ours_mb"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batches", type=int, nargs="+", default=[128, 256, 512, 1024, 2048, 4096])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.batches[0])
        return
    print("    B  plain ms   ours ms  products  faster  plain MB   ours MB   less")
    rows = []
    for B in options.batches:
        row = measure(B, options.rounds)
        rows.append(row)
        times = " ".join(f"{row[f'{name}_ms']:9.1f}" for name in WAYS)
        memory = " ".join(f"{row[f'{name}_mb']:9.0f}" for name in ("plain", "ours"))
        print(f"{B:5} {times} {row['faster']:7.2f} {memory} {row['less']:6.1f}", flush=True)
    if options.out:
        options.out.write_text(
            json.dumps({"commit": commit(), "threads": torch.get_num_threads(), "rows": rows}, indent=1)
        )


if __name__ == "__main__":
    main()
