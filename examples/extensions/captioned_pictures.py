"""A system: pictures and captions into one space, contrastively, from captions in COCO's format."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import normalize

from sayso.core.device import resolve_device
from sayso.data import read_captioned, stack
from sayso.encoders import ClipSpec, as_square, as_texts, in_batches, load_backbone, pool_clips
from sayso.engine import EmbeddingMethod, TrainingConfig
from sayso.hub import ModelFolder, Pretrained
from sayso.losses import info_nce
from sayso.media import read_image
from sayso.models import SentenceNet, WordTokenizer
from sayso.text.language.vocabulary import vocabulary


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingConfig):
    """The options of a run: length of an embedding, side of a picture, factor on the backbone's rate."""

    dim: int = 128
    size: int = 128
    backbone_lr_multiplier: float = 0.1
    micro_batch: int = 16


class PictureText(Pretrained, nn.Module):
    """Two networks, and the encoder that they make: what is trained is what is saved, loaded and used."""

    kind, similarity, name, card, device = "picture_text", "cosine", "picture_text", "", torch.device("cpu")

    def __init__(self, words, dim, size):
        super().__init__()
        self.tokenizer, self.dim = WordTokenizer(words, lower=True), dim
        self.clip, self.backbone = ClipSpec(4, 1.0, size, "squash"), load_backbone("lite0")
        self.head = nn.Linear(self.backbone.dim, dim)
        self.text = SentenceNet(torch.randn(len(words) + 1, 128), dim, hidden=512)
        self.text.word_embd.weight.requires_grad_(True)

    def pictures(self, pixels):
        return normalize(self.head(self.backbone(pixels.permute(0, 3, 1, 2).float()).mean((2, 3))), dim=1)

    def forward(self, pixels, words):
        return self.pictures(pixels), normalize(self.text(words), dim=1)

    @torch.inference_mode()
    def encode_text(self, texts):
        words = self.tokenizer(as_texts(texts)).to(self.device)
        return normalize(self.text(words), dim=1).cpu().numpy()

    @torch.inference_mode()
    def encode_images(self, images):
        def encode(some):
            pixels = np.stack([as_square(one, self.clip.size, "squash") for one in some])
            return self.pictures(torch.from_numpy(pixels).to(self.device)).cpu().numpy()

        return in_batches(encode, images, 32, self.dim)

    def encode_video(self, frames):
        return pool_clips(self.encode_images, frames)

    def to_folder(self):
        options = {"dim": self.dim, "size": self.clip.size}
        words = self.tokenizer.words
        return ModelFolder(self.kind, options, self.state_dict(), vocabulary=words, card=self.card)

    @classmethod
    def from_folder(cls, saved, *, name, device):
        made = cls(saved.vocabulary, **saved.options)
        made.load_state_dict(saved.weights)
        made.name, made.card, made.device = name, saved.card, resolve_device(device)
        return made.eval().to(made.device)

    def reference_outputs(self):
        ramp = np.arange(self.clip.size**2 * 3).reshape(self.clip.size, self.clip.size, 3) % 251
        text = self.encode_text([" ".join(self.tokenizer.words[:3])])
        return {"of_text": text[0].tolist(), "of_picture": self.encode_images([np.uint8(ramp)])[0].tolist()}


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

    def export(self, model, card):
        made = copy.deepcopy(model).cpu().eval()
        made.card = card
        return made


class System:
    name, description = "captioned-pictures", "Pictures and captions in one space, from COCO's captions."
    recipe, evaluator = Recipe, "image_retrieval"

    def read(self, path, recipe, progress):
        return read_captioned(path)

    def build(self, recipe, data, folder, progress):
        return Contrastive(recipe, data)


SYSTEM = System()
