"""Pictures a second of looking at six sizes, next to a plain loop over them; whether both point alike.

    python benchmarks/localize.py [--pictures 8] [--rounds 3] [--threads 2] [--classes 20]

The plain loop is the published network as its package builds it (eager, float32, batch normalisation
apart), one picture and one size after the other. Resizing, padding, the 1x1 head and how maps are
joined are the same in both, so that the points can be compared. Pictures are toy scenes of 500 x 375;
both ways take every picture in turn within each round, and the fastest round counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

from sayso.core.arrays import Float32s
from sayso.encoders.backbones import load_backbone
from sayso.models import efficientnet_lite as lite0
from sayso.models.score_map_head import MapHead
from sayso.systems.localize import Localizer, MultiScale
from sayso.systems.localize.letterbox import pad_to_stride, resize_longest
from sayso.systems.localize.locate import map_grid, points, regrid
from sayso.toyworld.scenes import draw_scene

STRIDE, COLOUR = 32, (127.0, 127.0, 127.0)
Way = Callable[[Image.Image], Float32s]


def published() -> torch.nn.Module:
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(lite0.lite0_file(), weights_only=True))
    return network.eval()


def plain(network: torch.nn.Module, head: MapHead, look: MultiScale) -> Way:
    """Return what points at every class by a loop over sizes."""

    @torch.inference_mode()
    def locate(picture: Image.Image) -> Float32s:
        maps = []
        for scale in look.scales:
            pixels = resize_longest(picture, round(look.size * scale))
            canvas = torch.from_numpy(pad_to_stride(pixels, STRIDE, COLOUR)[..., :3].copy())
            x = ((canvas.permute(2, 0, 1).float() - 127) / 128)[None].contiguous()
            scores = head(network.extract_features(x))[0]
            maps.append(regrid(scores, pixels.shape[:2], STRIDE, *map_grid(picture.size)))
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
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--classes", type=int, default=20)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    look, head = MultiScale(), MapHead(1280, asked.classes, hidden=0).eval()
    model = Localizer(load_backbone("lite0"), head, [f"class {k}" for k in range(asked.classes)], look)
    ways: dict[str, Way] = {
        "plain loop, eager float32": plain(published(), head, look),
        "`Localizer.see`": lambda picture: model.see(picture).points,
    }
    pictures = scenes(asked.pictures)
    seconds = dict.fromkeys(ways, float("inf"))
    told: dict[str, list[Float32s]] = {}
    for _ in range(asked.rounds):
        took = dict.fromkeys(ways, 0.0)
        told = {name: [] for name in ways}
        for picture in pictures:
            for name, way in ways.items():
                began = time.perf_counter()
                told[name].append(way(picture))
                took[name] += time.perf_counter() - began
        seconds = {name: min(least, took[name]) for name, least in seconds.items()}
    slow, expected = next(iter(seconds.values())), np.stack(next(iter(told.values())))
    print(f"| way | pictures/s | x plain | points alike, of {expected[..., 0].size} | furthest, pixels |")
    print("| --- | --: | --: | --: | --: |")
    for name, least in seconds.items():
        apart = np.abs(np.stack(told[name]) - expected).max(2)
        row = f"{asked.pictures / least:.2f} | {slow / least:.2f} | {(apart == 0).sum()} | {apart.max():.1f}"
        print(f"| {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
