"""MIL-NCE forward and backward: ours next to the authors' formula, time and peak memory, in one run.

    OMP_NUM_THREADS=1 python benchmarks/losses.py [--batches 1024 2048] [--seconds 20] [--json FILE]

The authors' formula is what their public code does: the scores as (B, B, K), a mask, both directions side
by side, two log-sum-exps, and autograd. The three matrix products (scores, and the two gradients) are timed
alone: nothing in float32 can be faster than they. ``bfloat16=True`` is timed where the machine multiplies
in it, with the least cosine of its gradients to those of float32. K = 5, D = 512, float32. Times are the
least CPU milliseconds of one thread over rounds in turns; memory is what a process of its own held at most,
beyond its inputs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from results import Report, json_option, least_in_turns
from torch import Tensor

from sayso.core.device import native_bfloat16
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
HALVED = "ours in bfloat16"
if native_bfloat16(torch.device("cpu")):
    WAYS[HALVED] = step(lambda v, t: mil_nce(v, t, double_count=True, bfloat16=True))


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


def measure(B: int, seconds: float) -> list[str]:
    """Return a row of the table."""
    video, text = inputs(B)
    runs = [lambda way=way: way(video, text) for way in WAYS.values()]
    ms = dict(zip(WAYS, least_in_turns(runs, seconds), strict=True))
    mb = {name: peak_mb(name, B) for name in WAYS if name != "products"}
    row = [f"{B:,}", *(f"{ms[name]:.1f}" for name in ("plain", "ours", "products"))]
    row += [f"{ms['plain'] / ms['ours']:.2f}", f"{ms['products'] / ms['ours']:.2f}"]
    if HALVED in ms:
        row += [f"{ms[HALVED]:.1f}", f"{ms['ours'] / ms[HALVED]:.2f}", f"{cosine(video, text):.6f}"]
    else:
        row += [""] * 3
    return [*row, *(f"{mb[name]:.0f}" if name in mb else "" for name in ("plain", "ours", HALVED))]


def cosine(video: Tensor, text: Tensor) -> float:
    """Return the least cosine of bfloat16's gradients to float32's."""
    found = []
    for name in ("ours", HALVED):
        WAYS[name](video, text)
        found.append([one.grad.double().flatten() for one in (video, text) if one.grad is not None])
    return min(float(a @ b / (a.norm() * b.norm())) for a, b in zip(*found, strict=True))


COLUMNS = [
    "B",
    "authors', ms",
    "ours, ms",
    "three products, ms",
    "x authors'",
    "of the products",
    "bfloat16, ms",
    "x float32",
    "cosine of the gradient",
    "authors', MB",
    "ours, MB",
    "bfloat16, MB",
]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batches", type=int, nargs="+", default=[128, 256, 512, 1024, 2048, 4096])
    parser.add_argument("--seconds", type=float, default=20, help="of each batch size")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    json_option(parser)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.batches[0])
        return
    report = Report("losses", options)
    report.table("", COLUMNS)
    for B in options.batches:
        report.row(*measure(B, options.seconds))
    report.close()


if __name__ == "__main__":
    main()
