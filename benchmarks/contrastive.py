"""Contrastive losses forward and backward: ours next to open_clip's two formulas, time and peak memory.

    python benchmarks/contrastive.py [--batches 1024 2048 4096 8192 16384] [--rounds 5]
        [--memory 8192 16384 65536] [--out FILE]
    python benchmarks/contrastive.py --batches 16384 --rounds 1 --memory     # one row, no memory

``clip`` and ``siglip`` are open_clip's ``ClipLoss`` and ``SigLipLoss`` written out: scores whole, autograd.
Ours is ``recomputed`` (scores again in the backward pass: four products), ``kept`` (three) and ``sigmoid``
(three). These products are timed alone, by whole matrices and some rows at a time, the faster of the two.
D = 512, float32. Times are CPU seconds of one thread, the least of rounds in which all take turns, and so
hold on a busy machine. What the sigmoid compiles with the ``fast`` extra is compiled before. Freed memory
stays with the process (``mallopt``): else a way has 2,000 page faults a step or none, as the heap happens to
lie, a tenth of a step at B = 1,024. Memory is what a process of its own held at most beyond its inputs.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from sayso.evaluation.record import commit
from sayso.losses import contrastive

D, BIAS = 512, torch.tensor(-10.0, requires_grad=True)
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def clip(image: Tensor, text: Tensor, log_scale: Tensor) -> Tensor:
    """Cross-entropy of the scores, both ways."""
    scale, own = log_scale.exp(), torch.arange(len(image))
    forth, back = scale * image @ text.T, scale * text @ image.T
    return (F.cross_entropy(forth, own) + F.cross_entropy(back, own)) / 2


def siglip(image: Tensor, text: Tensor, log_scale: Tensor) -> Tensor:
    """Log-sigmoid of all pairs."""
    scores = log_scale.exp() * image @ text.T + BIAS
    signs = 2 * torch.eye(len(image)) - torch.ones(len(image), len(image))
    return -F.logsigmoid(signs * scores).sum() / len(image)


LOSSES: dict[str, Loss] = {
    "clip": clip,
    "recomputed": lambda *inputs: contrastive(*inputs, keep_bytes=0),
    "kept": lambda *inputs: contrastive(*inputs, keep_bytes=1 << 40),
    "siglip": siglip,
    "sigmoid": lambda *inputs: contrastive(*inputs, kind="sigmoid", bias=BIAS),
    "default": contrastive,
}
# name -> the formula, its products, and how many times faster and slower than these it has to be
REQUIRED: dict[str, tuple[str, str, Callable[[int], float]]] = {
    "recomputed": ("clip", "four", lambda _: 1.5),
    "kept": ("clip", "three", lambda _: 1.9),
    "sigmoid": ("siglip", "three", lambda B: 1.4 if B >= 4096 else 1.25),
}
PRODUCTS, MOST_MB = 1.2, {8192: 110, 16384: 260, 65536: 1024}


def products(image: Tensor, text: Tensor, times: int, rows: int) -> None:
    """Multiply as the losses must, ``times`` of 3 or 4, some rows at a time."""
    image, text = image.detach(), text.detach()
    table = torch.empty(rows, len(text))
    d_image, d_text = torch.empty_like(image), torch.zeros_like(text)
    for _ in range(times - 3):
        for start in range(0, len(image), rows):
            torch.mm(image[start : start + rows], text.T, out=table)
    for start in range(0, len(image), rows):
        part = image[start : start + rows]
        torch.mm(part, text.T, out=table)
        torch.mm(table, text, out=d_image[start : start + rows])
        d_text.addmm_(table.T, part)


def keep_freed_memory() -> None:
    """Let glibc return nothing to the system, and take blocks of up to 32 MB from what it has."""
    glibc = ctypes.CDLL(None)
    for parameter, size in ((-1, 1 << 30), (-3, 32 << 20)):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
        if glibc.mallopt(parameter, size) != 1:
            raise SystemExit("this benchmark needs glibc's mallopt")


def step(loss: Loss) -> Callable[[Tensor, Tensor, Tensor], None]:
    def run(*inputs: Tensor) -> None:
        for one in (*inputs, BIAS):
            one.grad = None
        loss(*inputs).backward()

    return run


def warm_up() -> None:
    """Ask so much of the sigmoid that it compiles its loop."""
    for _ in range(40):
        step(LOSSES["sigmoid"])(*inputs(1024))


def inputs(B: int) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    image, text = (F.normalize(torch.randn(B, D), dim=1).requires_grad_() for _ in "it")
    return image, text, torch.tensor(math.log(1 / 0.07), requires_grad=True)


def seconds(B: int, rounds: int) -> dict[str, float]:
    """Return the least CPU seconds of each way and of its products."""
    given = inputs(B)
    ways: dict[str, Callable[[], None]] = {
        name: partial(step(LOSSES[name]), *given) for name in LOSSES if name != "default"
    }
    for rows in (B, min(B, 1024)):
        for times, name in ((3, "three"), (4, "four")):
            ways[f"{name} {rows}"] = partial(products, *given[:2], times, rows)
    least = dict.fromkeys(ways, math.inf)
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.thread_time()
            way()
            least[name] = min(least[name], time.thread_time() - start)
    found = {name: s for name, s in least.items() if name in LOSSES}
    for name in ("three", "four"):
        found[name] = min(s for key, s in least.items() if key.startswith(name))
    return found


def peak_mb(name: str, B: int) -> float:
    """Run one way once in a process of its own; return by how much its memory grew."""
    command = [sys.executable, __file__, "--child", name, "--batches", str(B)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def child(name: str, B: int) -> None:
    torch.set_num_threads(1)
    run = step(LOSSES[name])
    run(*inputs(4))
    if name == "sigmoid":
        warm_up()
    given = inputs(B)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = most_kb("VmRSS")
    run(*given)
    print((most_kb("VmHWM") - before) / 1024)


def most_kb(line: str) -> int:
    """Return how much memory this process holds, or has held at most."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{line}:")[2].split()[0])


def print_times(B: int, rounds: int) -> dict[str, Any]:
    found = seconds(B, rounds)
    print(f"B = {B:,}   " + "   ".join(f"{name} {s:.4f} s" for name, s in found.items()))
    ratios = {}
    for name, (formula, needed, least) in REQUIRED.items():
        faster, slower = found[formula] / found[name], found[name] / found[needed]
        met = "met" if faster >= least(B) and slower <= PRODUCTS else "NOT MET"
        print(f"    {name:11} {faster:.2f}x faster than {formula} (required {least(B)}), ", end="")
        print(f"{slower:.2f}x its {needed} products (at most {PRODUCTS}): {met}", flush=True)
        ratios[name] = {"faster": faster, "of_products": slower}
    return {"B": B, "seconds": found, "ratios": ratios}


def print_memory(B: int, formulas: bool) -> dict[str, Any]:
    names = ("default", "sigmoid", *(("clip", "siglip") if formulas else ()))
    print(f"B = {B:,}", end="")
    found = {}
    for name in names:
        found[name] = peak_mb(name, B)
        print(f"   {name} {found[name]:.0f} MB", end="", flush=True)
    most = MOST_MB.get(B, math.inf)
    met = "met" if max(found["default"], found["sigmoid"]) <= most else "NOT MET"
    print(f"   (ours at most {most}): {met}", flush=True)
    return {"B": B, "mb": found}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batches", type=int, nargs="*", default=[1024, 2048, 4096, 8192, 16384])
    parser.add_argument("--memory", type=int, nargs="*", default=[8192, 16384, 65536])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.batches[0])
        return
    torch.set_num_threads(1)
    keep_freed_memory()
    warm_up()
    times = [print_times(B, options.rounds) for B in options.batches]
    memory = [print_memory(B, formulas=B <= 8192) for B in options.memory]
    if options.out:
        record = {"commit": commit(), "D": D, "times": times, "memory": memory}
        options.out.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
