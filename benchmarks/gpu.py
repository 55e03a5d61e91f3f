"""What an accelerator computes: the tests marked ``device``, then speeds beside the CPU, in a few minutes.

    python benchmarks/gpu.py [--device auto|cuda|mps|cpu] [--seconds 5] [--json FILE]

On a machine without one the tests compare the CPU with itself, which shows that they run, and the table
has it beside itself: so the script is known to work before it is first used. Milliseconds are the least of
several runs, the device waited for.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from results import Report, json_option

from sayso.core.device import resolve_device
from sayso.losses.contrastive import contrastive
from sayso.losses.mil_nce import mil_nce
from sayso.models.s3d import S3D

TESTS = Path(__file__).parents[1] / "tests"
TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def milliseconds(run: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Return the least time of a run on a device."""
    wait = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}.get(device.type, lambda: None)
    least, until = float("inf"), time.perf_counter() + seconds
    for turn in range(1000):
        wait()
        began = time.perf_counter()
        run()
        wait()
        if turn:
            least = min(least, time.perf_counter() - began)
        if turn >= 2 and time.perf_counter() > until:
            break
    return 1e3 * least


def loss_step(kind: str, B: int, device: torch.device, dtype: torch.dtype) -> Callable[[], object]:
    """Return a loss, forwards and backwards, of B clips, D = 512."""
    draws = torch.Generator().manual_seed(0)
    video, text, bags = (
        torch.nn.functional.normalize(torch.randn(*shape, 512, generator=draws), dim=-1)
        .to(device, dtype).requires_grad_()
        for shape in ((B,), (B,), (B, 5))
    )  # fmt: skip
    scale = torch.zeros((), device=device, requires_grad=True)

    def step() -> None:
        if kind == "MIL-NCE, K = 5":
            mil_nce(video, bags, bfloat16=dtype == torch.bfloat16).backward()
        else:
            contrastive(video, text, scale).backward()

    return step


def forward(device: torch.device, dtype: torch.dtype) -> Callable[[], object]:
    """Return S3D's forward pass of two clips of 16 x 112 x 112, channels last."""
    net = S3D(512).eval().to(device, memory_format=torch.channels_last_3d)
    video = torch.rand(2, 3, 16, 112, 112).to(device).contiguous(memory_format=torch.channels_last_3d)

    @torch.no_grad()
    def run() -> None:
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            net(video)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seconds", type=float, default=3, help="of each figure")
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--no-tests", action="store_true")
    json_option(parser)
    options = parser.parse_args()
    device, cpu = resolve_device(options.device), torch.device("cpu")
    if not options.no_tests:
        folders = [TESTS / name for name in ("losses", "encoders", "engine")]
        command = [sys.executable, "-m", "pytest", "-q", "-m", "device", "-rs", *folders]
        known = {**os.environ, "TEST_DEVICE": device.type}
        if subprocess.run(command, check=False, env=known).returncode:
            sys.exit("the tests marked device failed; the table is not worth printing")
    report = Report("gpu", options)
    name = torch.cuda.get_device_name() if device.type == "cuda" else device.type
    report.table("", ["what", "type", f"{name}, ms", "CPU float32, ms", "x"])
    works: dict[str, Callable[[torch.device, torch.dtype], Callable[[], object]]] = {
        f"{kind}, B = {options.batch:,}": lambda d, t, kind=kind: loss_step(kind, options.batch, d, t)  # type: ignore[misc]
        for kind in ("MIL-NCE, K = 5", "softmax")
    }
    works["S3D forward, 2 x 16 x 112 x 112"] = forward
    for what, make in works.items():
        slow = milliseconds(make(cpu, torch.float32), cpu, options.seconds)
        for kind, dtype in TYPES.items():
            if device.type == "cpu" and kind == "float16":
                continue
            fast = milliseconds(make(device, dtype), device, options.seconds)
            report.row(what, kind, f"{fast:.2f}", f"{slow:.2f}", f"{slow / fast:.2f}")
    report.close()


if __name__ == "__main__":
    main()
