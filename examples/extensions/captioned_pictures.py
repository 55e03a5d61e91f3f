"""A system: pictures and captions into one space, contrastively, from captions in COCO's format."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from sayso.data import read_captioned, stack
from sayso.encoders import ClipSpec, DualEncoderModule, as_square, load_backbone
from sayso.engine import EmbeddingMethod, TrainingConfig
from sayso.losses import info_nce
from sayso.media import read_image
from sayso.models import SentenceNet
from sayso.text.language.vocabulary import vocabulary


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingConfig):
    """The options of a run: length of an embedding, side of a picture, factor on the backbone's rate."""

    dim: int = 128
    size: int = 128
    backbone_lr_multiplier: float = 0.1
    micro_batch: int = 16


class PictureText(DualEncoderModule):
    """A backbone with a head, and a network on words."""

    kind = "picture_text"

    def __init__(self, words, dim, size):
        super().__init__(words, dim, ClipSpec(4, 1.0, size, "squash"), {"dim": dim, "size": size})
        self.backbone = load_backbone("lite0")
        self.head = nn.Linear(self.backbone.dim, dim)
        self.text = SentenceNet(torch.randn(len(words) + 1, 128), dim, hidden=512)
        self.text.word_embd.weight.requires_grad_(True)

    def embed_pictures(self, pixels):
        return self.head(self.backbone(pixels.permute(0, 3, 1, 2).float()).mean((2, 3)))

    def embed_words(self, words):
        return self.text(words)


class Contrastive(EmbeddingMethod):
    """The method, and its data set: a picture, perhaps mirrored, with one of its captions."""

    group = 1

    def __init__(self, recipe, captions):
        torch.manual_seed(recipe.seed)
        self.captions, self.owners, self.dataset = captions, np.array(captions.owners), self
        self.model = PictureText(vocabulary(captions.texts), recipe.dim, recipe.size)
        self.criterion = nn.ParameterDict({"log_scale": torch.tensor(1 / 0.07).log()})
        self.lr_multipliers = {"backbone.": recipe.backbone_lr_multiplier}

    def __len__(self):
        return len(self.captions.pictures)

    def name(self, item):
        return str(self.captions.pictures[item])

    def sample(self, item, rng):
        pixels = as_square(read_image(self.name(item)), self.model.clip.size, "squash")
        caption = self.captions.texts[rng.choice(np.flatnonzero(self.owners == item))]
        return [{"pixels": pixels[:, :: rng.choice([1, -1])], "text": caption}]

    def collate(self, examples):
        words = self.model.tokenizer([one["text"] for one in examples]).numpy()
        return stack([{"pixels": one["pixels"]} for one in examples]) | {"words": words}

    def embed(self, model, batch):
        return model(batch["pixels"], batch["words"])

    def loss(self, embeddings, batch):
        return info_nce(*embeddings, self.criterion["log_scale"].exp())


class System:
    name, description = "captioned-pictures", "Pictures and captions in one space, from COCO's captions."
    recipe, evaluator = Recipe, "image_retrieval"

    def read(self, path, recipe, progress):
        return read_captioned(path)

    def build(self, recipe, data, folder, progress):
        return Contrastive(recipe, data)


SYSTEM = System()
