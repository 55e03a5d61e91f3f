"""A picture tower and a causal language model that answer together: what Flamingo and LLaVA share in use.

They differ in how the language model gets to see, ``VisualLanguageModel.see``. The tower runs once a picture,
whatever the beam; candidates share the cache of the prompt before them; rows of a batch are padded on the
left.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor

from sayso.core.device import resolve_device
from sayso.encoders.backbones import visual_tokens
from sayso.encoders.preprocess import as_square
from sayso.generators.base import GREEDY, Decoding, LogLikelihood, candidates_of, refuse_too_long
from sayso.generators.prompt import Prompt, frames_of, spell
from sayso.generators.saved import folder_of, parts_of
from sayso.generators.streaming import stream_pieces
from sayso.generators.trained_parts import Seen, TrainedParts
from sayso.hub.pretrained import Pretrained

if TYPE_CHECKING:
    from sayso.encoders.backbones import Backbone
    from sayso.hub.model_folder import ModelFolder, Reference

MAX_FRAMES = 8  # of a clip; more are thinned out evenly
_PROMPTS_AT_ONCE, _PICTURES_KEPT = 16, 256


class VisualLanguageModel(Pretrained):
    """A tower, a language model and what was trained between them; see ``sayso.generators.base.Generator``.

    Args:
        net: the trained parts, with their language model.
        backbone: sees the pictures.
        size: side of the square that it is shown, pixels.
        crop: how a picture becomes that square: see ``sayso.encoders.as_square``.
        lead: what stands before an answer; nothing as published.
        name: what ``sayso.load`` takes to get it again.
        device: ``auto``, ``cpu``, ``cuda``, ...
        card: how it was trained, Markdown.

    Attributes:
        called: what the kind of model is called in words.
        net_class: of the trained parts.
        shape_class: of their shape.
    """

    called: ClassVar[str]
    net_class: ClassVar[type[TrainedParts]]
    shape_class: ClassVar[type[Any]]

    def __init__(
        self,
        net: TrainedParts,
        backbone: Backbone,
        *,
        size: int = 224,
        crop: Literal["center", "squash"] = "squash",
        lead: str = "",
        name: str = "",
        device: str = "auto",
        card: str = "",
    ) -> None:
        self.device = resolve_device(device)
        self.net, self.backbone = net.to(self.device).eval(), backbone.to(self.device).eval()
        self.language = self.net.language
        self.language.model.to(self.device)
        self.size, self.crop, self.lead, self.name, self.card = size, crop, lead, name, card
        self._lock = Lock()
        self._features: dict[bytes, Tensor] = {}  # the tower's tokens of the last pictures

    @property
    def made_by(self) -> str:
        """What it is made of, and how long it was trained."""
        first = self.card.strip().splitlines()[0] if self.card.strip() else "training not recorded."
        return f"{self.called} of {self.language.name} and {self.backbone.name}. {first}"

    @abstractmethod
    def see(
        self, rows: list[list[int]], features: list[Tensor], counts: Tensor
    ) -> tuple[Tensor, Tensor, Seen]:
        """Return what goes into the language model, and what it sees.

        Args:
            rows: B prompts as tokens, each with a mark for each of its pictures.
            features: visual tokens (F, V, D) of all pictures and clips, in the order of their marks.
            counts: (B,), pictures of each prompt.

        Returns:
            Tokens (B, T), padded on the left; their mask (B, T), 1 where there is a token; what they see.
        """

    def generate(
        self, prompts: Sequence[Prompt], decoding: Decoding = GREEDY, *, use_cache: bool = True
    ) -> list[str]:
        """Answer B prompts; see ``Generator.generate``.

        Args:
            prompts: B of them.
            decoding: how words are chosen.
            use_cache: False computes everything anew for each token, to check that nothing changes.
        """
        if not prompts:
            return []
        with self._lock, torch.inference_mode():
            ids, mask, seen = self._inputs(prompts)
            tokens = self._run(ids, mask, seen, decoding, use_cache=use_cache)
        return [decoding.cut(text) for text in self.language.decode(tokens[:, ids.shape[1] :])]

    def stream(self, prompt: Prompt, decoding: Decoding = GREEDY) -> Iterator[str]:
        """Yield the pieces of an answer as they are made; a beam search gives it whole."""
        if decoding.beams > 1:
            yield from self.generate([prompt], decoding)
            return

        def run(streamer: Any, stopping: Any) -> None:
            with torch.inference_mode():
                ids, mask, seen = self._inputs([prompt])
                self._run(ids, mask, seen, decoding, streamer=streamer, stopping_criteria=stopping)

        with self._lock:
            yield from stream_pieces(self.language.tokenizer, run, decoding.stop)

    def log_likelihood(
        self,
        prompts: Sequence[Prompt],
        candidates: Sequence[str] | Sequence[Sequence[str]],
        *,
        per_token: bool = False,
        end: bool = False,
    ) -> LogLikelihood:
        """Return log p(candidate | prompt), (B, C); see ``Generator.log_likelihood``.

        Args:
            prompts: B of them.
            candidates: C for all, or C for each.
            per_token: divide by the number of tokens.
            end: the token that ends an answer counts too.
        """
        rows = candidates_of(candidates, len(prompts))
        last = [self.language.markers.end] if end else []
        tokens = [
            [self.language.encode(self.lead + answer, begin=False) + last for answer in row] for row in rows
        ]
        found = []
        with self._lock, torch.inference_mode():
            for start in range(0, len(prompts), _PROMPTS_AT_ONCE):
                part = slice(start, start + _PROMPTS_AT_ONCE)
                found.append(self._score(prompts[part], tokens[part], per_token))
        return np.concatenate(found) if found else np.empty((0, 0))

    def encode_pictures(self, prompts: Sequence[Prompt]) -> list[Tensor]:
        """Return the visual tokens (F, V, D) of all pictures and clips of some prompts, in order."""
        clips = [_thinned(frames_of(picture)) for prompt in prompts for picture in prompt.pictures]
        squares = [np.stack([as_square(frame, self.size, self.crop) for frame in clip]) for clip in clips]
        keys = [hashlib.sha256(square.tobytes()).digest() for square in squares]
        new = {key: square for key, square in zip(keys, squares, strict=True) if key not in self._features}
        if new:
            pixels = torch.from_numpy(np.concatenate(list(new.values()))).to(self.device)
            made = torch.split(visual_tokens(self.backbone, pixels), [len(square) for square in new.values()])
            self._features.update(zip(new, made, strict=True))
        found = [self._features[key] for key in keys]
        while len(self._features) > _PICTURES_KEPT:
            del self._features[next(iter(self._features))]
        return found

    def reference_outputs(self) -> Reference:
        """Return the last hidden states of some tokens after a picture that anybody can make."""
        shape = self.net.shape
        wave = torch.arange((shape.places or 9) * shape.dim_in, device=self.device).float().sin()
        known = self.language.model.get_input_embeddings().num_embeddings
        row = [self.language.markers.image, *(token % known for token in (20, 30, 40))]
        with self._lock, torch.inference_mode():
            ids, _, seen = self.see(
                [row], [wave.reshape(1, -1, shape.dim_in)], torch.ones(1, dtype=torch.long).to(self.device)
            )
            with seen.by(self.language):
                hidden = self.language.hidden(ids)[0, -1]
        return {"of_tokens": hidden.float().tolist()}

    def to_folder(self) -> ModelFolder:
        """Return what the folder holds: the trained parts; of the frozen ones names and digests."""
        seeing = {"size": self.size, "crop": self.crop, "lead": self.lead}
        return folder_of(self.kind, self.net, self.backbone.name, seeing, self.card)

    @classmethod
    def from_folder(cls, saved: ModelFolder, *, name: str, device: str) -> Self:
        """Return the model of a folder; its language model and its backbone are loaded by name.

        Args:
            saved: the folder.
            name: of the model.
            device: where it runs.

        Raises:
            SaysoError: if they are not those it was trained with, or a weight is missing or foreign.
        """
        net, backbone, seeing = parts_of(saved, name, cls.net_class, cls.shape_class)
        return cls(net, backbone, **seeing, name=name, device=device, card=saved.card)

    def _inputs(self, prompts: Sequence[Prompt]) -> tuple[Tensor, Tensor, Seen]:
        """Return tokens (B, T), padded on the left, their mask, and what they see."""
        rows = [self.language.encode(spell(prompt, self.lead)) for prompt in prompts]
        counts = torch.tensor([len(prompt.pictures) for prompt in prompts], device=self.device)
        return self.see(rows, self.encode_pictures(prompts), counts)

    def _padded(self, rows: list[list[int]]) -> tuple[Tensor, Tensor]:
        """Return rows of tokens as (B, T), filled up on the left, and their mask."""
        longest, end = max(map(len, rows)), self.language.markers.end
        ids = torch.tensor([[end] * (longest - len(row)) + row for row in rows], device=self.device)
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=self.device)
        return ids, mask

    def _run(self, ids: Tensor, mask: Tensor, seen: Seen, decoding: Decoding, **options: Any) -> Tensor:
        markers, tokenizer = self.language.markers, self.language.tokenizer
        refuse_too_long(ids.shape[1] + decoding.max_new_tokens, self.language.longest, self.language.name)
        ends = {markers.end} | ({tokenizer.eos_token_id} - {None})
        beams = {"length_penalty": decoding.length_penalty} if decoding.beams > 1 else {}
        with seen.by(self.language):
            tokens: Tensor = self.language.model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=decoding.max_new_tokens,
                num_beams=decoding.beams,
                do_sample=False,
                eos_token_id=sorted(ends),
                pad_token_id=markers.end,
                suppress_tokens=[markers.image],
                **beams,
                **options,
            )
        return tokens

    def _score(
        self, prompts: Sequence[Prompt], tokens: Sequence[Sequence[list[int]]], per_token: bool
    ) -> LogLikelihood:
        """Return log p (B, C) of candidates; each prompt goes through the model once."""
        from transformers import DynamicCache

        ids, mask, seen = self._inputs(prompts)
        B, C = len(prompts), len(tokens[0])
        flat = [row for rows in tokens for row in rows]
        longest, end = max(map(len, flat)), self.language.markers.end
        refuse_too_long(ids.shape[1] + longest, self.language.longest, self.language.name)
        told = torch.tensor([row + [end] * (longest - len(row)) for row in flat], device=self.device)
        there = torch.tensor(
            [[1] * len(row) + [0] * (longest - len(row)) for row in flat], device=self.device
        )
        cache = DynamicCache(config=self.language.model.config)
        with seen.by(self.language):
            hidden = self.language.hidden(ids, mask, cache)[:, -1:].repeat_interleave(C, 0)  # (B C, 1, W)
            if longest > 1:
                cache.batch_repeat_interleave(C)
                whole = torch.cat([mask.repeat_interleave(C, 0), there[:, :-1]], 1)
                hidden = torch.cat([hidden, self.language.hidden(told[:, :-1], whole, cache)], 1)
        each = self.language.logits(hidden).float().log_softmax(-1)  # (B C, L, vocabulary)
        total = (each.gather(2, told[..., None])[..., 0].double() * there).sum(1)
        total = total / there.sum(1) if per_token else total
        return np.asarray(total.reshape(B, C).cpu().numpy(), np.float64)


def _thinned(frames: list[Any]) -> list[Any]:
    """Return at most ``MAX_FRAMES`` frames, evenly spread."""
    if len(frames) <= MAX_FRAMES:
        return frames
    return [frames[round(n)] for n in np.linspace(0, len(frames) - 1, MAX_FRAMES)]
