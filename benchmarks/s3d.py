"""S3D in clips a second: forward and a training step, next to a plain eager transcription, in one run.

    python benchmarks/s3d.py [--clips 1] [--rounds 5] [--size 224] [--device cpu] [--threads 2] [--out FILE]

The plain network is the one of tests/models/plain_s3d.py: functions of a state dict, float32, batch norm
written out. The peers are the network as the authors' code builds it, of torch's own layers, eager: in
float32, and with all lying channels last under autocast in bfloat16, its fastest form. Ours infers in
bfloat16 where the device computes in it (FastS3D, what the encoder uses where the embedding stays), and
trains in float32 and in bfloat16 autocast. Clips are 32 x 224 x 224. Times are medians of rounds in which
all take turns; cosines are those of the embeddings to the plain network's, the least over the clips.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from sayso.evaluation.record import commit
from sayso.models import S3D, FastS3D

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "models"))
import plain_s3d


def timed(way: Callable[[], object], device: str) -> float:
    start = time.perf_counter()
    way()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def median_times(ways: dict[str, Callable[[], object]], rounds: int, device: str) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            taken = timed(way, device)
            if number:
                times[name].append(taken)
    return {name: statistics.median(taken) for name, taken in times.items()}


def training_step(net: Callable[[Tensor], Tensor], weights: list[Tensor], video: Tensor, bfloat16: bool):
    def step() -> None:
        with torch.autocast(video.device.type, torch.bfloat16) if bfloat16 else nullcontext():
            loss = net(video).float().square().sum()
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.data.add_(gradient, alpha=-1e-12)

    return step


def plain_training(weights: dict[str, Tensor]) -> tuple[Callable[[Tensor], Tensor], list[Tensor]]:
    """Return the plain network with batch statistics, and what it learns."""
    learnt = {
        key: value.clone().requires_grad_()
        for key, value in weights.items()
        if value.is_floating_point() and "running" not in key
    }

    def unit(w, x, name, number=1, stride=1, padding=(0, 0, 0)):
        x = F.conv3d(x, w[f"{name}.conv{number}.weight"], stride=stride, padding=padding)
        norm = f"{name}.bn{number}"
        return F.relu(
            F.batch_norm(x, None, None, w[f"{norm}.weight"], w[f"{norm}.bias"], training=True, eps=1e-5)
        )

    def net(video: Tensor) -> Tensor:
        infer, plain_s3d.unit = plain_s3d.unit, unit
        try:
            return plain_s3d.s3d(learnt, video)
        finally:
            plain_s3d.unit = infer

    return net, list(learnt.values())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    weights = {key: w.to(options.device) for key, w in plain_s3d.weights(plain_s3d.shapes()).items()}
    net = S3D().to(options.device).eval()
    net.load_state_dict(weights)
    g = torch.Generator().manual_seed(0)
    coarse = torch.rand(options.clips, 3, 8, 14, 14, generator=g)
    video = F.interpolate(coarse, (32, options.size, options.size), mode="trilinear").to(options.device)

    fast, exact_fast = FastS3D(net, torch.bfloat16), FastS3D(net)
    peer = deepcopy(net).to(memory_format=torch.channels_last_3d)
    lasting_video = video.contiguous(memory_format=torch.channels_last_3d)

    def autocast() -> Tensor:
        with torch.autocast(options.device, torch.bfloat16):
            return peer(lasting_video)

    ways: dict[str, Callable[[], Tensor]] = {
        "plain": lambda: plain_s3d.s3d(weights, video),
        "peer, float32": lambda: net(video),
        "peer, bfloat16": autocast,
        "ours, float32": lambda: exact_fast(video),
        "ours, bfloat16": lambda: fast(video),
    }
    with torch.inference_mode():
        exact = ways["plain"]()
        cosines = {
            name: float(torch.cosine_similarity(exact, way().float()).min()) for name, way in ways.items()
        }
        forward = median_times(ways, options.rounds, options.device)
    net.train()
    lasting = net.to(memory_format=torch.channels_last_3d)
    learnt = list(net.parameters())
    last = video.contiguous(memory_format=torch.channels_last_3d)
    steps = {
        "plain": training_step(*plain_training(weights), video, False),
        "float32": training_step(lasting, learnt, last, False),
        "bfloat16": training_step(lasting, learnt, last, True),
    }
    training = median_times(steps, options.rounds, options.device)
    rates = {f"forward {name}": options.clips / taken for name, taken in forward.items()}
    rates |= {f"training {name}": options.clips / taken for name, taken in training.items()}
    for name, rate in rates.items():
        kind, way = name.split(maxsplit=1)
        cosine = f"  cosine {cosines[way]:.6f}" if kind == "forward" else ""
        print(f"{name:40} {rate:8.2f} clips/s  {rate / rates[f'{kind} plain']:5.2f} x plain{cosine}")
    for kind in ("float32", "bfloat16"):
        ratio = rates[f"forward ours, {kind}"] / rates[f"forward peer, {kind}"]
        print(f"{kind}: {ratio:.2f} x the peer")
    if options.device == "cuda":
        print(f"memory: {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB")
    if options.out:
        record = {"commit": commit(), "threads": torch.get_num_threads(), "cosines": cosines, **rates}
        options.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
