"""Pictures a second with the offline encoder, next to the plain network and other ways to run it.

    python benchmarks/encode.py [--pictures 128] [--rounds 5] [--threads 2] [--out FILE]

The peer is the published network as its package builds it (eager, float32, in
batches of 32), followed by the same ConSE. Every way is timed on the same random
pictures in the same run, the ways in turn within each round, and the fastest
round counts. The cosine is the least over all pictures, to the peer's embeddings,
so 1.000000 means the same answer. Lower precision counts as an alternative only
where it keeps 0.999. ONNX Runtime takes part where it and ``onnx`` are installed.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

from sayso import load_encoder
from sayso.encoders import conse
from sayso.evaluation.record import commit
from sayso.models import efficientnet_lite as lite0

Way = Callable[[np.ndarray], torch.Tensor]  # (B, 224, 224, 3) uint8 -> (B, 384)


def published() -> torch.nn.Module:
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(lite0.lite0_file(), weights_only=True))
    return network.eval()


def floats(pictures: np.ndarray) -> torch.Tensor:
    return (torch.from_numpy(pictures).permute(0, 3, 1, 2).float() - 127) / 128


def in_steps(encode: Way, size: int) -> Way:
    return lambda pictures: torch.cat([encode(pictures[i : i + size]) for i in range(0, len(pictures), size)])


def converted(tower: lite0.Lite0, dtype: torch.dtype) -> lite0.Lite0:
    """Return a Lite0 whose convolutions and activations are of another type."""
    other = lite0.Lite0(torch.device("cpu"))
    convert = lambda c: c._replace(weight=c.weight.to(dtype), bias=c.bias.to(dtype))  # noqa: E731
    stem = convert(tower.stem)
    other.stem = lambda x: stem(x.to(dtype))
    other.blocks = [[convert(c) for c in block] for block in tower.blocks]
    head = convert(tower.head)
    other.head = lambda x: head(x).float()
    return other


def onnx_session(network: torch.nn.Module, threads: int):
    """Return an ONNX Runtime session of the network, or None where the packages are missing."""
    try:
        import onnx  # noqa: F401
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "lite0.onnx"
        names = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": {"x": {0: "b"}, "y": {0: "b"}}}
        torch.onnx.export(network, (torch.zeros(1, 3, 224, 224),), str(path), dynamo=False, **names)
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def ways(threads: int) -> dict[str, Way]:
    network = published()
    last = published().to(memory_format=torch.channels_last)
    tower = lite0.Lite0(torch.device("cpu"))
    made: dict[str, Way] = {
        "peer: eager float32, batches of 32": in_steps(lambda p: conse.embed_logits(network(floats(p))), 32),
        "eager float32, batches of 4": in_steps(lambda p: conse.embed_logits(network(floats(p))), 4),
        "eager, channels last, batches of 4": in_steps(lambda p: conse.embed_logits(last(floats(p))), 4),
    }
    for size in (1, 4, 16, 32, 64):
        made[f"folded and turned, batches of {size}"] = in_steps(lambda p: conse.embed_logits(tower(p)), size)
    for dtype in (torch.bfloat16, torch.float16):
        other = converted(tower, dtype)
        name = str(dtype).removeprefix("torch.")
        made[f"the same in {name}, batches of 32"] = in_steps(
            lambda p, other=other: conse.embed_logits(other(p)), 32
        )
    session = onnx_session(network, threads)
    if session is not None:
        run = lambda p: torch.from_numpy(session.run(None, {"x": floats(p).numpy()})[0])  # noqa: E731
        made["ONNX Runtime, batches of 16"] = in_steps(lambda p: conse.embed_logits(run(p)), 16)
    encoder = load_encoder("offline", device="cpu")
    made["sayso.load('offline').encode_images"] = lambda p: torch.from_numpy(encoder.encode_images(list(p)))
    return made


def smooth(count: int, height: int, width: int) -> list[np.ndarray]:
    """Return pictures that are neither flat nor noise: coarse random colours, scaled up."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 12, 16, 3), dtype=np.uint8)
    return [np.asarray(Image.fromarray(c).resize((width, height), Image.Resampling.BICUBIC)) for c in coarse]


def fastest(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the least seconds of each, measured in turn."""
    seconds = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds + 1):  # the first round also warms up
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    count = options.pictures
    pictures = np.stack(smooth(count, 224, 224))
    rows = []
    with torch.inference_mode():
        all_ways = ways(options.threads)
        expected = next(iter(all_ways.values()))(pictures)
        cosine = {name: float((way(pictures) * expected).sum(1).min()) for name, way in all_ways.items()}
        seconds = fastest({n: lambda w=w: w(pictures) for n, w in all_ways.items()}, options.rounds)
    peer = next(iter(seconds.values()))
    print(f"{'':46}{'pictures/s':>11}{'ms each':>9}{'x peer':>8}{'least cosine':>14}")
    for name, took in seconds.items():
        row = {"way": name, "pictures_per_s": count / took, "ms": took / count * 1e3, "ratio": peer / took}
        rows.append({**row, "cosine": cosine[name]})
        print(f"{name:46}{count / took:11.1f}{row['ms']:9.2f}{row['ratio']:8.2f}{cosine[name]:14.6f}")
    encoder = load_encoder("offline", device="cpu")
    larger = [Image.fromarray(picture) for picture in smooth(count, 480, 640)]
    whole = fastest({"pil": lambda: encoder.encode_images(larger)}, options.rounds)["pil"]
    text = "the same from PIL images of 640 x 480"
    print(f"{text:46}{count / whole:11.1f}{whole / count * 1e3:9.2f}{peer / whole:8.2f}")
    rows.append(
        {"way": text, "pictures_per_s": count / whole, "ms": whole / count * 1e3, "ratio": peer / whole}
    )
    if options.out:
        made_by = {"command": f"python benchmarks/encode.py --pictures {count} --threads {options.threads}"}
        made_by |= {"commit": commit(), "machine": platform.platform(), "torch": torch.__version__}
        made_by |= {"date": datetime.now(UTC).isoformat(timespec="seconds")}
        options.out.write_text(json.dumps({**made_by, "rows": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
