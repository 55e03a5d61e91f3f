"""A system of a package outside, as somebody else would write it: captioned pictures, contrastively."""

import json
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from sayso.data import ragged, stack
from sayso.engine.system import EmbeddingMethod
from sayso.engine.training_config import TrainingConfig
from sayso.media.images import read_image


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingConfig):
    """The options of a run; ``dim`` is the length of an embedding."""

    dim: int = 8
    batch_size: int = 8


class Pictures:
    """Captioned pictures: ``captions.json``, name of the file -> caption."""

    group = 1

    def __init__(self, folder):
        self.folder = folder
        self.rows = sorted(json.loads((folder / "captions.json").read_text()).items())

    def __len__(self):
        return len(self.rows)

    def name(self, item):
        return str(self.folder / self.rows[item][0])

    def sample(self, item, rng):
        pixels = np.asarray(read_image(self.folder / self.rows[item][0]).resize((8, 8)))
        return [{"pixels": pixels if rng.random() < 0.5 else pixels[:, ::-1], "text": self.rows[item][1]}]


class Towers(nn.Module):
    def __init__(self, words, dim):
        super().__init__()
        self.pictures, self.texts = nn.Linear(192, dim), nn.EmbeddingBag(words, dim)

    def forward(self, pixels, words, counts):
        return self.pictures(pixels.flatten(1).float() / 255), self.texts(words, counts.cumsum(0) - counts)


class Contrastive(EmbeddingMethod):
    def __init__(self, recipe, data):
        torch.manual_seed(recipe.seed)
        self.dataset = data
        words = sorted({word for _, text in data.rows for word in text.split()})
        self.numbers = {word: number for number, word in enumerate(words)}
        self.model = Towers(len(words), recipe.dim)
        self.criterion = nn.ParameterDict({"log_scale": torch.zeros(())})

    def collate(self, examples):
        words = ragged("words", [[self.numbers[w] for w in one["text"].split()] for one in examples])
        return stack([{"pixels": one["pixels"]} for one in examples]) | words

    def embed(self, model, batch):
        return model(batch["pixels"], batch["words"], batch["words_counts"])

    def loss(self, embeddings, batch):
        pictures, texts = (nn.functional.normalize(one, dim=1) for one in embeddings)
        scores = self.criterion["log_scale"].exp() * pictures @ texts.T
        return nn.functional.cross_entropy(scores, torch.arange(len(scores)))

    def export(self, model, card):
        return Saved({**model.state_dict(), **self.criterion.state_dict()}, card)


@dataclass
class Saved:
    state: dict
    card: str

    def save_pretrained(self, folder):
        torch.save(self.state, folder / "weights.pt")
        (folder / "README.md").write_text(self.card)


class System:
    name, description = "pairs", "Pictures and their captions, contrastively."
    recipe, evaluator = Recipe, None

    def read(self, path, recipe, progress):
        return Pictures(path)

    def build(self, recipe, data, folder, progress):
        return Contrastive(recipe, data)


SYSTEM = System()
