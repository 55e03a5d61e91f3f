"""Pictures a second with the offline encoder, next to the runtimes an expert would use, in one run.

    python benchmarks/encode.py [--pictures 128] [--rounds 5] [--threads 2] [--photographs FOLDER]
        [--out FILE]

The peers run the published network as its package builds it, followed by the same ConSE: PyTorch, ONNX
Runtime and OpenVINO, which take part where they are installed (``pip install onnx openvino``). OpenVINO runs
in float32 and, where it computes in it, in bfloat16. Every way is timed on the same pictures in the same
run, the ways in turn within each round, and the fastest round counts. Ratios are to the fastest peer in
float32. The cosine is the least over all pictures, to PyTorch's embeddings in float32, so 1.000000 means the
same answer; lower precision counts as an alternative only where it keeps 0.999. Pictures are random smooth
colours, or those of a folder.
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
from sayso.encoders.preprocess import as_square
from sayso.evaluation.record import commit
from sayso.media import read_image
from sayso.models import efficientnet_lite as lite0
from sayso.models.convolution import computes_bfloat16

Way = Callable[[np.ndarray], torch.Tensor]  # (B, 224, 224, 3) uint8 -> (B, 384)


def published() -> torch.nn.Module:
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(lite0.lite0_file(), weights_only=True))
    return network.eval()


def floats(pictures: np.ndarray) -> torch.Tensor:
    return (torch.from_numpy(pictures).permute(0, 3, 1, 2).float() - 127) / 128


def in_steps(encode: Way, size: int) -> Way:
    return lambda pictures: torch.cat([encode(pictures[i : i + size]) for i in range(0, len(pictures), size)])


def throughout(tower: lite0.Lite0) -> lite0.Lite0:
    """Return a Lite0 all of which is in bfloat16, biases and first layers too."""
    other = lite0.Lite0(torch.device("cpu"))
    convert = lambda c: c._replace(weight=c.weight.bfloat16(), bias=c.bias.bfloat16())  # noqa: E731
    stem = convert(tower.stem)
    other.stem = lambda x: stem(x.bfloat16())
    other.blocks = [[convert(c) for c in block] for block in tower.blocks]
    other.head = convert(tower.head)
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


def openvino_runs(network: torch.nn.Module, threads: int) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return OpenVINO's runs of the network by precision; none where it is not installed."""
    try:
        import openvino
    except ImportError:
        return {}
    core, model = openvino.Core(), openvino.convert_model(network, example_input=torch.zeros(1, 3, 224, 224))
    types = {"float32": "f32"}
    if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        types["bfloat16"] = "bf16"
    runs = {}
    for name, kind in types.items():
        options = {"INFERENCE_PRECISION_HINT": kind, "INFERENCE_NUM_THREADS": threads}
        compiled = core.compile_model(model, "CPU", {**options, "PERFORMANCE_HINT": "LATENCY"})
        runs[name] = lambda x, compiled=compiled: compiled(x)[0]
    return runs


def peers(threads: int) -> dict[str, Way]:
    network = published()
    last = published().to(memory_format=torch.channels_last)
    of = lambda run: lambda p: conse.embed_logits(torch.as_tensor(run(floats(p))))  # noqa: E731
    made: dict[str, Way] = {
        "PyTorch, batches of 32": in_steps(of(network), 32),
        "PyTorch, channels last, batches of 4": in_steps(of(last), 4),
    }
    session = onnx_session(network, threads)
    if session is not None:
        onnx = of(lambda x: session.run(None, {"x": x.numpy()})[0])
        made |= {f"ONNX Runtime, batches of {size}": in_steps(onnx, size) for size in (4, 16)}
    for name, run in openvino_runs(network, threads).items():
        for size in (4, 16):
            made[f"OpenVINO, {name}, batches of {size}"] = in_steps(
                of(lambda x, run=run: run(x.numpy())), size
            )
    return made


def ours() -> dict[str, Way]:
    tower = lite0.Lite0(torch.device("cpu"))
    made: dict[str, Way] = {
        "ours, float32, batches of 32": in_steps(lambda p: conse.embed_logits(tower(p)), 32)
    }
    if computes_bfloat16(tower.device):
        everywhere = throughout(tower)
        name = "ours, bfloat16 throughout, batches of 32"
        made[name] = in_steps(lambda p: conse.embed_logits(everywhere(p)), 32)
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


def photographs(folder: Path, count: int) -> list[np.ndarray]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))[
        :count
    ]
    return [as_square(read_image(path), 224, "center") for path in paths]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--photographs", type=Path, metavar="FOLDER")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    count = options.pictures
    given = photographs(options.photographs, count) if options.photographs else smooth(count, 224, 224)
    pictures, count = np.stack(given), len(given)
    rows = []
    with torch.inference_mode():
        others = peers(options.threads)
        all_ways = others | ours()
        expected = next(iter(all_ways.values()))(pictures)
        cosine = {
            name: float(torch.cosine_similarity(way(pictures), expected).min())
            for name, way in all_ways.items()
        }
        seconds = fastest({n: lambda w=w: w(pictures) for n, w in all_ways.items()}, options.rounds)
    peer = min(seconds[name] for name in others if "bfloat16" not in name)
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
