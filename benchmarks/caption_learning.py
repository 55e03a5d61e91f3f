"""What the papers on contrastive pretraining claim, on captioned toy scenes, several seeds.

    python benchmarks/caption_learning.py --out runs/captions --only scratch   # CLIP from pixels, 3 seeds
    python benchmarks/caption_learning.py --out runs/captions --only scratch-noise scratch-batch
    python benchmarks/caption_learning.py --out runs/captions --only noise batch   # frozen networks

scratch: ``sayso train clip`` from random weights with the recipe clip-toy; classifiers made of names of
kinds (a colour and a thing) that training never shows or names, by one template, by seven.

batch, scratch-batch: batches of 64, 256 and 1,024 at equal pictures seen. noise, scratch-noise: captions of
which 0, 30 or 60 % belong to other pictures; as they are, with labels smoothed (ALIGN), and with the pairs
that a first run finds likeliest (``sayso curate --score-with RUN --best-share``); equal pictures seen.
batch and noise learn heads on frozen networks (towers = "offline"), whose features are made once for all
runs; the others learn from random weights.

Accuracy is top-1 among the 28 kinds that training never shows, and among all 112. A run that is finished
is not repeated.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from whole_runs import whole

import sayso
from sayso.data.alt_text import RULE_SETS, curate
from sayso.encoders import frozen_towers, pair_features
from sayso.toyworld import write_captioned
from sayso.toyworld.captioned import CAPTION_TEMPLATES, kinds_of_things

SEEDS = (0, 1, 2)
PROMPTS = {"names alone": ("{}",), "one template": ("a photo of a {}",), "seven templates": CAPTION_TEMPLATES}
SEEN, SCRATCH_SEEN = 40_960, 20_480  # pictures, of each run of batch and noise, and of scratch-batch
HEADS: dict[str, Any] = {"towers": "offline", "dim": 256, "weight_decay": 0.01, "workers": 0, "warmup": 20}
SCRATCH: dict[str, Any] = {"recipe": "clip-toy", "network": "ViT-nano/8", "size": 32}
LR = {64: 5e-4, 256: 1e-3, 1024: 2e-3}  # with the square root of the batch
WAYS = ((0.0, False), (0.0, True), (0.1, False))  # smoothing, and whether the corpus is curated
PARTS = ("colour right", "thing right")  # of the kind that wins among all 112
Scores = dict[str, float]


class RememberedTowers(pair_features.FrozenTowers):
    """Frozen towers that are asked about a picture, or a text, once."""

    known: dict[bytes, Any] = {}  # noqa: RUF012  shared on purpose

    def pictures(self, images: Sequence[Any]) -> Any:
        """Return the features of B pictures, (B, 1280)."""
        return self._remember([np.asarray(image).tobytes() for image in images], images, super().pictures)

    def texts(self, texts: Sequence[str]) -> Any:
        """Return the features of B texts, (B, 384)."""
        return self._remember([text.encode() for text in texts], texts, super().texts)

    def _remember(self, contents: list[bytes], items: Sequence[Any], make: Callable[..., Any]) -> Any:
        keys = [hashlib.sha256(content).digest() for content in contents]
        new = {key: item for key, item in zip(keys, items, strict=True) if key not in self.known}
        for start in range(0, len(new), 64):
            some = list(new)[start : start + 64]
            self.known.update(zip(some, make([new[key] for key in some]), strict=True))
        return np.stack([self.known[key] for key in keys])


def accuracy(encoder: Any, folder: Path) -> Scores:
    """Return top-1 by each way to make a prompt, among the kinds in the folder, and among all."""
    shown = sorted(path.name for path in folder.iterdir())
    every = sorted(" ".join(kind) for test in (True, False) for kind in kinds_of_things(test=test))
    files = [(name, file) for name in shown for file in sorted((folder / name).iterdir())]
    pictures = encoder.encode_images([Image.open(file).convert("RGB") for _, file in files])
    right = np.array([name for name, _ in files])
    scores: Scores = {}
    for prompt, templates in PROMPTS.items():
        for kinds, names in (("unseen kinds", shown), ("all kinds", every)):
            weights = [encoder.encode_text([t.format(name) for t in templates]).mean(0) for name in names]
            unit = np.stack(weights) / np.linalg.norm(weights, axis=1, keepdims=True)
            found = np.array(names)[(pictures @ unit.T).argmax(1)]
            scores[f"{prompt}, {kinds}"] = float(np.mean(found == right))
    for part, word in enumerate(("colour", "thing")):
        pairs = zip(found, right, strict=True)
        scores[f"{word} right"] = float(np.mean([a.split()[part] == b.split()[part] for a, b in pairs]))
    return scores


def learned(out: Path, corpus: Path, test: Path, **options: Any) -> Scores:
    """Train, unless it was done, and measure; the last step counts, not the best."""
    done = out / "scores.json"
    if not done.is_file():
        began, cpu = time.perf_counter(), time.process_time()
        how = {"save_every": 10**6, "log_every": 20, "resume": out.exists()}
        trained = whole(sayso.train("clip", corpus, out, **how, **options))
        spent = {"wall_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}
        encoder = sayso.load_encoder(str(trained.folder), device="cpu", verify=False)
        done.write_text(json.dumps(accuracy(encoder, test) | spent))
    found: Scores = json.loads(done.read_text())
    return found


def print_table(title: str, rows: dict[str, list[Scores]], columns: Sequence[str]) -> None:
    """Print a row for each variant: mean and standard deviation over the seeds."""
    print(f"\n{title}, {len(next(iter(rows.values())))} seeds\n\n| training | {' | '.join(columns)} |")
    print(f"| --- |{' --: |' * len(columns)}")
    for name, scores in rows.items():
        cells = []
        for column in columns:
            values = [one[column] for one in scores]
            cells.append(f"{np.mean(values):.3f} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.3f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def scratch(out: Path, options: dict[str, Any], seeds: Sequence[int]) -> None:
    """Print what CLIP learns from pixels, and what templates are worth."""
    world = out / "world_32"
    if not world.exists():
        write_captioned(world, train=8000, test=560, size=32)
    runs = [
        learned(
            out / f"scratch_{seed}", world / "train" / "captions.json", world / "zero_shot",
            recipe="clip-toy", seed=seed, **options,
        )
        for seed in seeds
    ]  # fmt: skip
    rows = {
        "chance": [{"unseen kinds": 1 / 28, "all kinds": 1 / 112} for _ in seeds],
        **{
            p: [{k: run[f"{p}, {k}"] for k in ("unseen kinds", "all kinds")} for run in runs] for p in PROMPTS
        },
    }
    print_table(
        "CLIP from scratch, clip-toy: top-1 by how names become prompts", rows, ("unseen kinds", "all kinds")
    )
    columns = (*PARTS, "wall_s", "cpu_s")
    print_table("of seven templates, all kinds", {"clip-toy": runs}, columns)


def scratch_batch(out: Path, options: dict[str, Any], seeds: Sequence[int]) -> None:
    """Print what larger batches are worth from random weights, at equal pictures seen."""
    world = out / "world_32"
    if not world.exists():
        write_captioned(world, train=8000, test=560, size=32)
    rows = {
        f"batch {size:,}": [
            learned(
                out / f"scratch_batch_{size}_{seed}",
                world / "train" / "captions.json",
                world / "zero_shot",
                **SCRATCH | _scratch_steps(size) | {"seed": seed} | options,
            )
            for seed in seeds
        ]
        for size in LR
    }
    columns = [*(f"seven templates, {kinds}" for kinds in ("unseen kinds", "all kinds")), *PARTS]
    print_table(f"{SCRATCH_SEEN:,} pictures seen, from scratch", rows, columns)


def _scratch_steps(size: int) -> dict[str, Any]:
    """Return the options of a short run from random weights in batches of a size."""
    steps, warmup = SCRATCH_SEEN // size, 2048 // size
    return {"batch_size": size, "steps": steps, "lr": 2 * LR[size], "warmup": warmup}


def wrong_worlds(out: Path, size: int) -> tuple[dict[float, Path], Path]:
    """Return captions of the same 4,000 pictures by the share of wrong ones, and the folder to test with."""
    world = out / f"world_{size}_4000"
    if not world.exists():
        write_captioned(world, train=4000, test=560, size=size)
    captions = {0.0: world / "train" / "captions.json"}
    for wrong in (0.3, 0.6):
        captions[wrong] = world / "train" / f"captions_{wrong}.json"
        if not captions[wrong].is_file():  # what is written does not depend on the size that is drawn
            other = write_captioned(out / f"wrong_{wrong}_{size}", train=4000, test=0, size=16, wrong=wrong)
            captions[wrong].write_text((other / "train" / "captions.json").read_text())
    return captions, world / "zero_shot"


def batch(out: Path, options: dict[str, Any], seeds: Sequence[int]) -> None:
    """Print what larger batches are worth at equal pictures seen."""
    captions, test = wrong_worlds(out, 64)
    rows = {
        f"batch {size:,}": [
            learned(
                out / f"batch_{size}_{seed}", captions[0.0], test,
                batch_size=size, steps=SEEN // size, lr=LR[size], seed=seed, **HEADS, **options,
            )
            for seed in seeds
        ]
        for size in LR
    }  # fmt: skip
    columns = [f"seven templates, {kinds}" for kinds in ("unseen kinds", "all kinds")]
    print_table(f"{SEEN:,} pictures seen, heads on frozen towers", rows, columns)


def noise(out: Path, options: dict[str, Any], seeds: Sequence[int]) -> None:
    """Print what wrong captions cost heads on frozen networks, and what smoothing and curating give back."""
    how = {**HEADS, "steps": SEEN // 256, "lr": LR[256], "batch_size": 256, **options}
    _noise(out, "noise", 64, how, f"{SEEN:,} pictures seen, heads on frozen towers", seeds)


def scratch_noise(out: Path, options: dict[str, Any], seeds: Sequence[int]) -> None:
    """Print the same of towers that learn from random weights."""
    how = SCRATCH | _scratch_steps(64) | options
    _noise(out, "scratch_noise", 32, how, f"{SCRATCH_SEEN:,} pictures seen, from scratch", seeds)


def _noise(out: Path, stem: str, size: int, how: dict[str, Any], title: str, seeds: Sequence[int]) -> None:
    captions, test = wrong_worlds(out, size)
    rows: dict[str, list[Scores]] = {}
    for wrong, corpus in captions.items():
        for smoothing, curated in WAYS:
            name = f"{wrong:.0%} wrong" + ", smoothed" * (smoothing > 0) + ", curated" * curated
            rows[name] = []
            for seed in seeds:
                source = _curated(out, stem, wrong, corpus, seed) if curated else corpus
                run = out / f"{stem}_{wrong}_{smoothing}_{curated}_{seed}"
                rows[name].append(learned(run, source, test, smoothing=smoothing, seed=seed, **how))
    columns = [*(f"seven templates, {kinds}" for kinds in ("unseen kinds", "all kinds")), *PARTS]
    print_table(title, rows, columns)


def _curated(out: Path, stem: str, wrong: float, corpus: Path, seed: int) -> Path:
    """Keep the pairs that the run on the captions as they are finds likeliest: 70 % where none is wrong."""
    kept = out / f"{stem}_kept_{wrong}_{seed}.parquet"
    if not kept.exists():
        run = out / f"{stem}_{wrong}_0.0_False_{seed}"
        encoder = sayso.load_encoder(str(run), device="cpu", verify=False)
        rules = replace(RULE_SETS["none"], best_share=1 - wrong if wrong else 0.7)
        result = curate(corpus, kept, rules, encoder=encoder)
        print("\n".join(result.table()), flush=True)
    return kept


def main() -> None:
    """Run what is asked for, and print its tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    stages = {"scratch": scratch, "scratch-batch": scratch_batch, "scratch-noise": scratch_noise}
    stages |= {"batch": batch, "noise": noise}
    parser.add_argument("--only", nargs="+", choices=stages, default=list(stages))
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS, help="several processes may share OUT")
    parser.add_argument("--set", nargs="*", default=[], help="other options of the runs, key=value")
    arguments = parser.parse_args()
    frozen_towers.FrozenTowers = pair_features.FrozenTowers = RememberedTowers  # type: ignore[misc,attr-defined]
    options = {key: json.loads(value) for key, value in (one.split("=", 1) for one in arguments.set)}
    for name in arguments.only:
        stages[name](arguments.out, options, arguments.seeds)


if __name__ == "__main__":
    main()
