"""The table of models to choose by: size, time, recall, languages, licence (docs/models.md).

    python benchmarks/models.py [--data CAPTIONS] [--rounds 3]

Recall is measured with the models that are on this machine, on captioned pictures in COCO's format. The time
of a model of the hub is that of a picture network of its shape with random weights: built with one and with
three layers, the rest follows, because all layers cost the same. Times are CPU seconds, halved for two cores,
of one picture in a batch of four, the fastest round; a minute of video is as many frames as the index takes,
without decoding.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import sayso
from sayso.core.errors import SaysoError
from sayso.evaluation import evaluate
from sayso.hub.catalog import KNOWN

SHAPES: dict[str, dict[str, Any]] = {
    "openai/clip-vit-base-patch32": {"size": 224, "patch": 32, "width": 768, "layers": 12, "heads": 12},
    "openai/clip-vit-large-patch14": {"size": 224, "patch": 14, "width": 1024, "layers": 24, "heads": 16},
    "laion/CLIP-ViT-B-32-laion2B-s34B-b79K": {
        "size": 224, "patch": 32, "width": 768, "layers": 12, "heads": 12,
    },
    "google/siglip-base-patch16-224": {"size": 224, "patch": 16, "width": 768, "layers": 12, "heads": 12},
    "google/siglip2-base-patch16-224": {"size": 224, "patch": 16, "width": 768, "layers": 12, "heads": 12},
    "google/siglip2-so400m-patch14-384": {
        "size": 384, "patch": 14, "width": 1152, "layers": 27, "heads": 16, "inner": 4304,
    },
}  # fmt: skip
LANGUAGES = {"google/siglip2-base-patch16-224": "many", "google/siglip2-so400m-patch14-384": "many"}
BATCH, CORES = 4, 2


def cpu_seconds(run: Callable[[], Any], rounds: int) -> float:
    """Return the CPU seconds of the fastest round, halved for two cores, a picture."""
    run()
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        run()
        spent.append(time.process_time() - began)
    return min(spent) / CORES / BATCH


def network_seconds(shape: dict[str, Any], rounds: int) -> float:
    """Return the seconds a picture of a vision transformer of a shape."""
    from transformers import CLIPVisionConfig, CLIPVisionModel

    found = {}
    for layers in (1, 3):
        config = CLIPVisionConfig(
            hidden_size=shape["width"],
            intermediate_size=shape.get("inner", 4 * shape["width"]),
            num_hidden_layers=layers,
            num_attention_heads=shape["heads"],
            image_size=shape["size"],
            patch_size=shape["patch"],
        )
        model = CLIPVisionModel(config).eval()
        pixels = torch.zeros(BATCH, 3, shape["size"], shape["size"])
        with torch.inference_mode():
            found[layers] = cpu_seconds(lambda m=model, x=pixels: m(x), rounds)
    a_layer = (found[3] - found[1]) / 2
    return found[1] + a_layer * (shape["layers"] - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="captions.json of COCO, the pictures beside it")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print("| model | size | s a picture | s a minute of video | R@1 / 5 / 10 | languages | licence |")
    print("| --- | --: | --: | --: | --- | --- | --- |")
    for model in KNOWN:
        if model.task != "embed":
            continue
        recall, frames = "not here", 60.0
        try:
            encoder = sayso.load_encoder(model.name)
        except SaysoError:
            seconds = network_seconds(SHAPES[model.name], options.rounds)
        else:
            clip = encoder.clip
            frames = 60.0 * clip.fps
            pixels = np.random.default_rng(0).integers(0, 255, (BATCH, clip.size, clip.size, 3), np.uint8)
            seconds = cpu_seconds(lambda e=encoder, p=pixels: e.encode_images(list(p)), options.rounds)
            if options.data:
                row = evaluate("image-retrieval", encoder, options.data).rows["text to picture"]
                recall = " / ".join(f"{row[k]:.3f}"[1:] for k in ("R@1", "R@5", "R@10"))
        size = (model.size_bytes or 0) / 1e6
        spoken = LANGUAGES.get(model.name, "English")
        cells = (
            f"`{model.name}`",
            f"{size:,.0f} MB",
            f"{seconds:.3f}",
            f"{frames * seconds:.1f}",
            recall,
            spoken,
        )
        print("|", " | ".join(cells), "|", model.licence, "|", flush=True)


if __name__ == "__main__":
    main()
