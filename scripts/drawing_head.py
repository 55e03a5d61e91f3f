r"""Make the head for drawings that the offline encoder ships, and measure its recipe on what it never saw.

The head is what ``sayso train clip`` learns with ``towers = "offline"``: linear, from the features of
pictures to the texts' own space, centred as ConSE centres it. Drawings are named emoji of three artists and
clip art; every second picture is a copy at another size, place and background. One thing in seven
(``NamedDrawing.held_out``) is never learned, so that what is shipped can be measured: ``sayso evaluate
drawing-retrieval``. The detector of drawings is a logistic regression on these drawings and on photographs.

    npm install --prefix S emoji-datasource-google@16.0.0 emoji-datasource-twitter@16.0.0 \
        @lobehub/fluent-emoji-3d@1.1.0 admin-lte@2.4.18 gentelella@1.4.0 material-kit@2.0.4 \
        paper-kit-2@2.1.0 startbootstrap-agency@7.0.12 startbootstrap-creative@7.0.7 \
        startbootstrap-grayscale@7.0.6
    apt-get download openclipart-png openclipart-svg lomiri-wallpapers-16.04 opencv-doc
    for f in openclipart*.deb; do dpkg-deb -x $f S/openclipart; done
    for f in lomiri*.deb opencv*.deb; do dpkg-deb -x $f S/photographs; done
    python scripts/drawing_head.py S WORK --splits 5 --ship

Packages of Debian 12: openclipart 1:0.18+dfsg-19, lomiri-wallpapers 20.04.0-2, opencv-doc 4.6.0+dfsg-12.
All random numbers are seeded. What is shipped was made by torch 2.13.0 with OMP_NUM_THREADS=1; its SHA-256 is
746fc12669fc66658411e9e8e72d60ad09f00d96c443a20913c1e1889651dd4c; other arithmetic changes the last bit of
some weights. THIRD_PARTY.md names the licences.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

import sayso
from sayso.core.io import sha256_of, write_atomic
from sayso.data.batch import Example
from sayso.data.datasets.named_drawings import (
    ARTISTS,
    CLIP_ART,
    FLUENT,
    NamedDrawing,
    read_clip_art,
    read_emoji,
)
from sayso.encoders import conse, drawings
from sayso.encoders.batching import unit_norm
from sayso.encoders.preprocess import as_square
from sayso.media import read_image
from sayso.metrics.retrieval import retrieval_from_embeddings
from sayso.models.efficientnet_lite import SIZE, Lite0
from sayso.models.minilm import DIM, MiniLM
from sayso.systems.clip import SYSTEM, Clip

RECIPE: dict[str, Any] = {
    "towers": "offline", "learn_text": False, "dropout": 0.5, "temperature": 0.05, "batch_size": 512,
    "steps": 300, "lr": 1e-3, "warmup": 10, "weight_decay": 0.05, "save_every": 300, "log_every": 100,
}  # fmt: skip
HELD_OUT = 0.15
CROPS = 9  # of a photograph, besides the whole
NO_PHOTOGRAPHS = ("pojoaque", "preview", "landing", "profile", "placeholder", "portfolio/3", "portfolio/5")
WALLPAPERS = (
    "Bridge_by", "Dragonfly_by", "Picture_", "Wine_by", "aitzgorri_by", "free_by", "friends_by",
    "greentock_by", "life_by", "picosdeeuropa_by", "seeding_by", "sunset_by",
)  # fmt: skip
OF_OPENCV = (
    "aero1", "aloeL", "apple", "baboon", "board", "building", "butterfly", "ela_modified", "fruits", "home",
    "left", "leuvenA", "licenseplate_motion", "messi5", "orange", "right", "squirrel_cls", "stuff",
    "text_defocus", "text_motion",
)  # fmt: skip


def write_corpus(found: Sequence[NamedDrawing], folder: Path) -> Path:
    """Write a manifest of the drawings and of a copy of each emoji, and return it."""
    rng = random.Random(0)  # noqa: S311
    (folder / "copies").mkdir(parents=True, exist_ok=True)
    manifest = folder / "corpus.csv"
    with manifest.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "text"])
        for n, one in enumerate(found):
            texts = (one.names[0], f"a drawing of {one.names[0]}", *one.names[1:3])
            copy = folder / "copies" / f"{n:05d}.jpg"
            if one.artist != CLIP_ART:
                varied(one.path, rng).save(copy, quality=rng.randrange(50, 96))
            for path in [one.path] if one.artist == CLIP_ART else [one.path, copy]:
                rows.writerows([str(path), text] for text in dict.fromkeys(texts))
    return manifest


def varied(path: Path, rng: random.Random) -> Image.Image:
    """Return a drawing at another size and place, a little turned, on another background, (224, 224)."""
    image = Image.open(path).convert("RGBA")
    scale = SIZE * rng.uniform(0.45, 1.1) / max(image.size)
    image = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.BICUBIC)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    image = image.rotate(rng.uniform(-10, 10), resample=Image.Resampling.BICUBIC)
    darkest = rng.choice([255, 255, 255, 200, 0, 0])
    background = tuple(rng.randint(darkest, 255) for _ in range(3))
    canvas = Image.new("RGB", (SIZE, SIZE), background)
    place = [round((SIZE - side) * rng.random()) for side in image.size]
    canvas.paste(image, (place[0], place[1]), image)
    return canvas


class Centred(nn.Module):
    """Texts where ConSE has them: the mean of the class texts is taken away."""

    def forward(self, features: Tensor) -> Tensor:
        """Move sentence embeddings of mean square 1."""
        return features - torch.from_numpy(conse.mean_text()) * DIM**0.5


class Rows:
    """Some rows of a data set."""

    group = 1

    def __init__(self, dataset: Any, rows: np.ndarray) -> None:
        self.dataset, self.rows = dataset, rows

    def __len__(self) -> int:
        """Return how many."""
        return len(self.rows)

    def name(self, item: int) -> str:
        """Return what to call one."""
        return str(self.dataset.name(int(self.rows[item])))

    def sample(self, item: int, rng: np.random.Generator) -> list[Example]:
        """Return one."""
        examples: list[Example] = self.dataset.sample(int(self.rows[item]), rng)
        return examples


class Heads(type(SYSTEM)):  # type: ignore[misc]
    """The system ``clip`` on some rows of the corpus, with features that are made once for all runs.

    Args:
        found: the drawings.
        cache: where the features are kept.
    """

    def __init__(self, found: Sequence[NamedDrawing], cache: Path) -> None:
        self.cache, self.found = cache, found
        self.number = {str(one.path): n for n, one in enumerate(found)}
        self.number |= {str(cache / "copies" / f"{n:05d}.jpg"): n for n in range(len(found))}
        self.keep = np.ones(len(found), bool)

    def build(self, recipe: Any, data: Any, folder: Path, progress: Any) -> Clip:  # noqa: ARG002
        """Return the method; its data set has the rows of the drawings that are kept."""
        self.method = Clip(recipe, data, self.cache, progress)
        self.features = self._of_originals(data)
        wanted = self.keep[[self.number[data.name(row)] for row in range(len(data))]]
        self.method.dataset = Rows(self.method.dataset, np.flatnonzero(wanted))  # type: ignore[assignment]
        self.method.model.text = Centred()
        return self.method

    def _of_originals(self, data: Any) -> np.ndarray:
        """Return the features of the drawings themselves, (N, 1280)."""
        rows: Any = self.method.dataset
        features = np.zeros((len(self.keep), rows.image.shape[1]), np.float32)
        for row in range(len(data)):
            if Path(data.name(row)).parent != self.cache / "copies":
                features[self.number[data.name(row)]] = rows.image[row]
        return features

    def learn(self, manifest: Path, out: Path, keep: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        """Return what is learned of some drawings: W (384, 1280) and b (384,), 0 where texts are 0."""
        self.keep = keep
        sayso.train(self, manifest, out, device="cpu", seed=seed, **RECIPE)
        layer = self.method.model.image[-1]
        weight, bias = layer.weight.detach().numpy().copy(), layer.bias.detach().numpy().copy()
        weight[drawings.SPARE], bias[drawings.SPARE] = 0, 0
        return {"head_weight": weight.astype(np.float16), "head_bias": bias.astype(np.float16)}


class Measure:
    """Recall of drawings by name: every drawing is a query by its name and has to find itself.

    Args:
        found: the drawings.
        features: of each, (N, 1280).
        tower: that made them.
    """

    def __init__(self, found: Sequence[NamedDrawing], features: np.ndarray, tower: Lite0) -> None:
        self.found, self.tower, self.features = found, tower, torch.from_numpy(np.float32(features))
        self.by_names = conse.embed_logits(tower.scores(self.features))
        asked = [n for n, one in enumerate(found) if one.artist != CLIP_ART]
        names = list(dict.fromkeys(found[n].names[0] for n in asked))
        embedded = dict(zip(names, conse.embed_sentences(MiniLM()(names)), strict=True))
        self.texts = np.zeros((len(found), DIM), np.float32)
        self.texts[asked] = [embedded[found[n].names[0]] for n in asked]

    def __call__(self, weights: dict[str, np.ndarray], rows: np.ndarray) -> list[float]:
        """Return R@1, 5 and 10 as shipped, R@10 of the head alone and of ConSE alone."""
        no_detector = {"detector_weight": np.zeros((1, 1)), "detector_bias": np.zeros(1)}
        h = drawings.DrawingHead(self.tower.device, weights | no_detector).named(self.features[rows]).numpy()
        c = self.by_names[rows].numpy()
        both = unit_norm((1 - drawings.HEAD_SHARE) * c + drawings.HEAD_SHARE * h)
        found = [retrieval_from_embeddings(self.texts[rows], one) for one in (both, h, c)]
        return [found[0]["R@1"], found[0]["R@5"], *(one["R@10"] for one in found)]


def splits(system: Heads, manifest: Path, tower: Lite0, count: int, runs: Path) -> None:
    """Print what the recipe finds of things, and of artists, that it never saw."""
    found, measure = system.found, None
    artists = np.array([one.artist for one in found])
    things = sorted({one.thing for one in found if one.artist != CLIP_ART})
    all_artists = (*ARTISTS, FLUENT)
    everybody = (*all_artists, CLIP_ART)
    rows = [("two artists", ARTISTS, ARTISTS), ("all", everybody, all_artists)]
    rows += [("all, asked of two artists", everybody, ARTISTS)]
    rows += [(f"without {a}", tuple(b for b in everybody if b != a), (a,)) for a in all_artists]
    heads: dict[tuple[tuple[str, ...], int], dict[str, np.ndarray]] = {}
    print("learned from | drawings | R@1 R@5 R@10 as shipped | head alone | ConSE alone | chance", flush=True)
    for label, learned, tested in rows:
        scores = []
        for seed in range(count):
            held = set(np.random.default_rng(seed).permutation(things)[: round(HELD_OUT * len(things))])
            away = _hidden(found, held)
            if (learned, seed) not in heads:
                keep = ~away & np.isin(artists, learned)
                heads[learned, seed] = system.learn(manifest, runs / f"{label}-{seed}", keep, seed)
            measure = measure or Measure(found, system.features, tower)
            test = np.flatnonzero(away & np.isin(artists, tested))
            scores.append([*measure(heads[learned, seed], test), 10 / len(test)])
        mean, spread = np.mean(scores, 0), np.std(scores, 0)
        cells = " | ".join(f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, spread, strict=True))
        print(f"{label}, things held out, {count} seeds | {len(test)} | {cells}", flush=True)


def _hidden(found: Sequence[NamedDrawing], things: set[str]) -> np.ndarray:
    """Tell which drawings show things, or are called as they are, (N,)."""
    names = {name for one in found if one.thing in things for name in one.names}
    words = [{*one.names, *(tag for name in one.names for tag in name.split(", "))} for one in found]
    return np.array(
        [one.thing in things or bool(names & told) for one, told in zip(found, words, strict=True)]
    )


def photographs(sources: Path) -> Iterator[np.ndarray]:
    """Yield photographs, each whole and in some parts, (224, 224, 3) uint8."""
    modules, debian = sources / "node_modules", sources / "photographs"
    kits = ("admin-lte", "gentelella", "material-kit", "paper-kit-2", "startbootstrap-*")
    paths = [p for kit in kits for folder in sorted(modules.glob(kit)) for p in sorted(folder.rglob("*.jpg"))]
    paths = [p for p in paths if not any(part in str(p) for part in NO_PHOTOGRAPHS)]
    paths += [
        p for p in sorted(debian.rglob("*.jpg")) if p.name.startswith(WALLPAPERS) or p.stem in OF_OPENCV
    ]
    rng, seen = random.Random(0), set()  # noqa: S311
    for path in paths:
        digest = sha256_of(path)
        if digest in seen:
            continue
        seen.add(digest)
        image = read_image(path, size=SIZE)
        yield as_square(image, SIZE, "center")
        for _ in range(CROPS):
            yield _part(image, rng)
    print(f"{len(seen)} photographs")


def _part(image: Image.Image, rng: random.Random) -> np.ndarray:
    """Return a square part of a photograph, sometimes small, sometimes coarse."""
    short = min(image.size)
    side = max(min(short, 100), int(short * rng.uniform(0.3, 1)))
    x, y = (rng.randrange(whole - side + 1) for whole in image.size)
    part = image.crop((x, y, x + side, y + side))
    if rng.random() < 0.3:
        part = part.resize((rng.choice([64, 96, 128]),) * 2)
    if rng.random() < 0.4:
        file = io.BytesIO()
        part.save(file, "JPEG", quality=rng.randrange(30, 95))
        part = Image.open(file).convert("RGB")
    return as_square(part, SIZE, "center")


def detector(
    found: Sequence[NamedDrawing], tower: Lite0, sources: Path, copies: Path
) -> dict[str, np.ndarray]:
    """Return the logistic regression that tells drawings from photographs; every fourth drawing will do."""

    def looks(pictures: Sequence[np.ndarray]) -> np.ndarray:
        parts = [tower.levels(np.stack(pictures[i : i + 32])) for i in range(0, len(pictures), 32)]
        return np.concatenate([drawings.look(*levels).numpy() for levels in parts])

    some = [one.path for one in found if not one.held_out][::4] + sorted(copies.glob("*.jpg"))[::6]
    drawn = looks([as_square(read_image(path), SIZE, "center") for path in some])
    taken = looks(list(photographs(sources)))
    x = np.concatenate([drawn, taken])
    y = np.arange(len(x)) < len(drawn)
    scaler = StandardScaler().fit(x)
    fit = LogisticRegression(C=0.003, max_iter=300, class_weight="balanced").fit(scaler.transform(x), y)
    weight = fit.coef_[0] / scaler.scale_
    bias = fit.intercept_[0] - weight @ scaler.mean_
    d = x @ weight + bias
    print("drawings' d: 0, 1, 50 %", np.quantile(d[y], [0, 0.01, 0.5]).round(2))
    print("photographs' d: 50, 99, 100 %", np.quantile(d[~y], [0.5, 0.99, 1]).round(2))
    return {
        "detector_weight": weight[None].astype(np.float32),
        "detector_bias": bias.astype(np.float32)[None],
    }


def main() -> None:
    """Write the corpus, then measure, then make what is shipped, as asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", type=Path, help="folder of the unpacked packages")
    parser.add_argument("work", type=Path, help="folder for the corpus, its features and the runs")
    parser.add_argument("--splits", type=int, default=0, help="random splits to measure")
    parser.add_argument("--ship", action="store_true", help="write the weights into the package")
    options = parser.parse_args()
    sources, work = options.sources.resolve(), options.work.resolve()
    found = [*read_emoji(sources / "node_modules"), *read_clip_art(sources / "openclipart")]
    print({artist: sum(one.artist == artist for one in found) for artist in (*ARTISTS, FLUENT, CLIP_ART)})
    torch.use_deterministic_algorithms(mode=True)
    manifest = write_corpus(found, work)
    tower = Lite0(torch.device("cpu"))
    system = Heads(found, work)
    if options.ship:
        held = _hidden(found, {one.thing for one in found if one.held_out})
        weights = system.learn(manifest, work / "shipped", ~held, 0)
        weights |= detector(found, tower, sources, work / "copies")
        file = io.BytesIO()
        np.savez(file, **weights)
        write_atomic(drawings.WEIGHTS_NPZ, file.getvalue())
        print(f"{drawings.WEIGHTS_NPZ.name} {len(file.getvalue())} bytes {sha256_of(drawings.WEIGHTS_NPZ)}")
    if options.splits:
        splits(system, manifest, tower, options.splits, work / "runs")


if __name__ == "__main__":
    main()
