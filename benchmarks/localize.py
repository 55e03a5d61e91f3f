"""CPU time of looking at six sizes, next to the runtimes an expert would use; whether all point alike.

    python benchmarks/localize.py [--pictures 4] [--rounds 3] [--threads 1] [--photographs FOLDER]

The peers run the published network as its package builds it, up to its last map: PyTorch channels last,
the same traced and frozen (batch normalisation folded, layers fused), ONNX Runtime, and OpenVINO compiled
for each size, in float32 and, where it computes in it, in bfloat16; the last two take part where they are
installed (``pip install onnx openvino``). Resizing, padding, the 1x1 head and how maps are joined are the
same in all. Pictures are toy scenes of 500 x 375, or those of a folder; all ways take every picture in turn
within each round, the first round warms up, and the fastest of the others counts. Above 1 ours is faster.
Points are compared with those of the first way.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from torch import Tensor, nn

from sayso.core.arrays import Float32s
from sayso.encoders.backbones import load_backbone
from sayso.media import read_image
from sayso.models import efficientnet_lite as lite0
from sayso.models.score_map_head import MapHead
from sayso.systems.localize import Localizer, MultiScale
from sayso.systems.localize.letterbox import pad_to_stride, resize_longest
from sayso.systems.localize.locate import map_grid, points, regrid
from sayso.toyworld.scenes import draw_scene

STRIDE, COLOUR = 32, (127.0, 127.0, 127.0)
Features = Callable[[Tensor], Tensor]  # (1, 3, H, W) -> (1, 1280, H / 32, W / 32)
Way = Callable[[Image.Image], Float32s]


class Published(nn.Module):
    """The network of the package, up to its last map."""

    def __init__(self) -> None:
        super().__init__()
        self.network = EfficientNet.from_name("efficientnet-lite0")
        self.network.load_state_dict(torch.load(lite0.lite0_file(), weights_only=True))
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        """(1, 3, H, W) -> (1, 1280, H / 32, W / 32)."""
        features: Tensor = self.network.extract_features(x)
        return features


def in_torch() -> dict[str, Features]:
    network = Published().to(memory_format=torch.channels_last)
    example = torch.zeros(1, 3, 352, 512).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        frozen = torch.jit.optimize_for_inference(torch.jit.trace(network, example))
    last = lambda x: x.contiguous(memory_format=torch.channels_last)  # noqa: E731
    return {
        "PyTorch, channels last": lambda x: network(last(x)),
        "PyTorch, traced, frozen, channels last": lambda x: frozen(last(x)),
    }


def in_onnx(threads: int) -> dict[str, Features]:
    try:
        import onnx  # noqa: F401
        import onnxruntime
    except ImportError:
        return {}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lite0.onnx"
        sides = {2: "h", 3: "w"}
        names = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": {"x": sides, "y": sides}}
        torch.onnx.export(Published(), (torch.zeros(1, 3, 352, 512),), str(path), dynamo=False, **names)
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return {"ONNX Runtime": lambda x: torch.from_numpy(session.run(None, {"x": x.numpy()})[0])}


def in_openvino(threads: int) -> dict[str, Features]:
    try:
        import openvino
    except ImportError:
        return {}
    core = openvino.Core()
    kinds = {"float32": "f32"}
    if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        kinds["bfloat16"] = "bf16"

    def runs(kind: str) -> Features:
        options = {"INFERENCE_PRECISION_HINT": kind, "INFERENCE_NUM_THREADS": threads}
        compiled = {}

        def run(x: Tensor) -> Tensor:
            if x.shape not in compiled:
                model = openvino.convert_model(Published(), example_input=x)
                model.reshape(list(x.shape))
                compiled[x.shape] = core.compile_model(
                    model, "CPU", {**options, "PERFORMANCE_HINT": "LATENCY"}
                )
            return torch.from_numpy(compiled[x.shape](x.numpy())[0])

        return run

    return {f"OpenVINO, {name}": runs(kind) for name, kind in kinds.items()}


def six_sizes(features: Features, head: MapHead, look: MultiScale) -> Way:
    """Return what points at every class by the mean map of all sizes."""

    def locate(picture: Image.Image) -> Float32s:
        maps = []
        for scale in look.scales:
            pixels = resize_longest(picture, round(look.size * scale))
            canvas = torch.from_numpy(pad_to_stride(pixels, STRIDE, COLOUR)[..., :3].copy())
            x = ((canvas.permute(2, 0, 1).float() - 127) / 128)[None].contiguous()
            maps.append(regrid(head(features(x))[0], pixels.shape[:2], STRIDE, *map_grid(picture.size)))
        return points(torch.stack(maps).mean(0), picture.size)

    return locate


def scenes(count: int) -> list[Image.Image]:
    """Return toy scenes whose sides are as 4 to 3."""
    drawn = (draw_scene(np.random.default_rng([0, n]), 500)[0] for n in range(count))
    return [Image.fromarray(np.ascontiguousarray(pixels[60:435])) for pixels in drawn]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--photographs", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    look, head = MultiScale(), MapHead(1280, asked.classes, hidden=0).eval()
    model = Localizer(load_backbone("lite0"), head, [f"class {k}" for k in range(asked.classes)], look)
    peers = in_torch() | in_onnx(asked.threads) | in_openvino(asked.threads)
    ways = {name: six_sizes(features, head, look) for name, features in peers.items()}
    ways["`Localizer.see`"] = lambda picture: model.see(picture).points
    files = sorted(asked.photographs.glob("*.jpg")) if asked.photographs else []
    pictures = [read_image(path) for path in files[: asked.pictures]] or scenes(asked.pictures)
    seconds = dict.fromkeys(ways, float("inf"))
    told: dict[str, list[Float32s]] = {}
    for number in range(1 + asked.rounds):
        took = dict.fromkeys(ways, 0.0)
        told = {name: [] for name in ways}
        for picture in pictures:
            for name, way in ways.items():
                began = time.process_time()
                with torch.inference_mode():
                    told[name].append(way(picture))
                took[name] += time.process_time() - began
        if number:
            seconds = {name: min(least, took[name]) for name, least in seconds.items()}
    ours, expected = list(seconds.values())[-1], np.stack(next(iter(told.values())))
    print(f"| way | CPU s a picture | x ours | points alike, of {expected[..., 0].size} | furthest, pixels |")
    print("| --- | --: | --: | --: | --: |")
    for name, least in seconds.items():
        apart = np.abs(np.stack(told[name]) - expected).max(2)
        row = f"{least / len(pictures):.3f} | {least / ours:.2f} | {(apart == 0).sum()} | {apart.max():.1f}"
        print(f"| {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
