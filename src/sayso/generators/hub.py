"""Visual language models of the hub: LLaVA, BLIP-2, Idefics, Qwen-VL, SmolVLM and their relatives.

Model, picture preprocessing, tokeniser and chat template are those of the transformers library, read from one
folder. Only safetensors are read. A clip is given as its frames, as pictures.

Sources
    [1] Li et al. 2023, BLIP-2. https://arxiv.org/abs/2301.12597
    [2] Liu et al. 2023, LLaVA. https://arxiv.org/abs/2304.08485
    [3] Laurençon et al. 2023, OBELICS (Idefics). https://arxiv.org/abs/2306.16527
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from sayso.core.device import resolve_device
from sayso.core.errors import SaysoError
from sayso.data.interleaved import IMAGE
from sayso.generators.base import (
    GREEDY,
    Decoding,
    LogLikelihood,
    candidates_of,
    longest_text,
    refuse_too_long,
)
from sayso.generators.prompt import Prompt, as_messages, frames_of
from sayso.generators.streaming import stream_pieces
from sayso.hub.hub_folder import identity
from sayso.hub.image_text_model import load_image_text_model
from sayso.hub.kinds import HUB_GENERATOR
from sayso.hub.model_folder import resolve_step

if TYPE_CHECKING:
    import torch

# models that were trained without dialogue: how a question is put, with one picture and nothing before it
PLAIN = {"blip-2": "Question: {} Short answer:", "instructblip": "{}", "blip": "{}"}


class HubGenerator:
    """A visual language model of the hub, loaded from a folder; see ``sayso.generators.base.Generator``.

    Args:
        folder: with ``config.json``, safetensors, a tokeniser, a picture processor, a chat template.
        name: what ``sayso.load`` takes to get it again.
        device: ``auto``, ``cpu``, ``cuda``, ...

    Raises:
        MissingExtra: if transformers, or a package that this model needs, is not installed.
        SaysoError: if the folder holds no visual language model, or only pickled weights.
    """

    kind = HUB_GENERATOR

    def __init__(self, folder: Path, name: str, device: str = "auto") -> None:
        self.folder, self.name, self.device = folder, name, resolve_device(device)
        self._model, self._processor = load_image_text_model(folder, self.device)
        self._tokenizer = self._processor.tokenizer
        self._tokenizer.padding_side = "left"
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self._family = str(self._model.config.model_type)
        self._lock = Lock()

    @classmethod
    def from_pretrained(
        cls,
        folder: Path | str,
        *,
        name: str = "",
        device: str = "auto",
        verify: bool = True,  # noqa: ARG003  the hub's folders hold no reference outputs
    ) -> HubGenerator:
        """Load a model folder of the transformers library.

        Args:
            folder: as for the class.
            name: what to call it; the folder, unless given.
            device: ``auto``, ``cpu``, ``cuda``, ...
            verify: nothing: there are no reference outputs in such a folder.

        Raises:
            MissingExtra: if a package that it needs is not installed.
            SaysoError: if the folder holds no visual language model.
        """
        return cls(resolve_step(folder), name or str(folder), device)

    @cached_property
    def sha256(self) -> str:
        """Identity of weights, configuration, vocabulary and preprocessing: a digest of the files."""
        return identity(self.folder)

    @property
    def made_by(self) -> str:
        """Who made it, as far as a folder tells."""
        return f"{self.name} ({self._family}), from the model hub"

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding = GREEDY) -> list[str]:
        """Answer B prompts; see ``Generator.generate``.

        Raises:
            SaysoError: if this model cannot take them: several pictures, or no chat template.
        """
        if not prompts:
            return []
        inputs = self._inputs(prompts)
        with self._lock:
            tokens = self._run(inputs, decoding)
        return [decoding.cut(text) for text in self._decoded(tokens, inputs)]

    def stream(self, prompt: Prompt, decoding: Decoding = GREEDY) -> Iterator[str]:
        """Yield the pieces of an answer as they are made; a beam search gives it whole."""
        if decoding.beams > 1:
            yield from self.generate([prompt], decoding)
            return
        inputs = self._inputs([prompt])

        def run(streamer: Any, stopping: Any) -> None:
            self._run(inputs, decoding, streamer=streamer, stopping_criteria=stopping)

        with self._lock:
            yield from stream_pieces(self._tokenizer, run, decoding.stop)

    def log_likelihood(
        self,
        prompts: Sequence[Prompt],
        candidates: Sequence[str] | Sequence[Sequence[str]],
        *,
        per_token: bool = False,
    ) -> LogLikelihood:
        """Return log p(candidate | prompt), (B, C); see ``Generator.log_likelihood``.

        Args:
            prompts: B of them.
            candidates: C for all prompts, or C for each.
            per_token: the mean of a candidate's tokens, not their sum.
        """
        rows = candidates_of(candidates, len(prompts))
        with self._lock:
            found = [
                self._score(prompt, answers, per_token) for prompt, answers in zip(prompts, rows, strict=True)
            ]
        return np.stack(found) if found else np.empty((0, 0))

    def _score(self, prompt: Prompt, answers: Sequence[str], per_token: bool) -> LogLikelihood:
        """Return log p (C,) of the candidates of one prompt, which stands before each of them."""
        import torch
        from torch.nn import functional as F  # noqa: N812

        text, pictures = self._spelled(prompt)
        lead = "" if text[-1:] in ("\n", ">", "") else " "
        tokens = [
            self._tokenizer(lead + answer.strip(), add_special_tokens=False).input_ids for answer in answers
        ]
        longest = max(map(len, tokens))
        ids = torch.tensor([row + [self._tokenizer.pad_token_id] * (longest - len(row)) for row in tokens])
        inputs = self._processed([text] * len(answers), [pictures] * len(answers))
        self._refuse_too_long(inputs, longest)
        ids = ids.to(self.device)
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in tokens]).to(self.device)
        whole = {**inputs, "input_ids": torch.cat([inputs["input_ids"], ids], 1)}
        whole["attention_mask"] = torch.cat([inputs["attention_mask"], mask], 1)
        for name in ("token_type_ids", "mm_token_type_ids"):
            if name in inputs:
                whole[name] = F.pad(inputs[name], (0, longest))
        with torch.inference_mode():
            logits = self._model(**whole).logits[:, -longest - 1 : -1].float()
        found = logits.log_softmax(-1).gather(2, ids[..., None])[..., 0].double() * mask
        total = found.sum(1) / (mask.sum(1) if per_token else 1)
        return np.asarray(total.cpu().numpy(), np.float64)

    def _run(self, inputs: Any, decoding: Decoding, **options: Any) -> Any:
        import torch

        self._refuse_too_long(inputs, decoding.max_new_tokens)
        with torch.inference_mode():
            return self._model.generate(
                **inputs,
                max_new_tokens=decoding.max_new_tokens,
                num_beams=decoding.beams,
                do_sample=False,
                pad_token_id=self._tokenizer.pad_token_id,
                **({"length_penalty": decoding.length_penalty} if decoding.beams > 1 else {}),
                **options,
            )

    def _refuse_too_long(self, inputs: Any, more: int) -> None:
        refuse_too_long(inputs["input_ids"].shape[1] + more, longest_text(self._model.config), self.name)

    def _decoded(self, tokens: Any, inputs: Any) -> list[str]:
        """Return the answers without what was asked."""
        if not self._model.config.is_encoder_decoder:
            tokens = tokens[:, inputs["input_ids"].shape[1] :]
        texts: list[str] = self._tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return texts

    def _inputs(self, prompts: Sequence[Prompt]) -> Any:
        spelled = [self._spelled(prompt) for prompt in prompts]
        return self._processed([text for text, _ in spelled], [pictures for _, pictures in spelled])

    def _spelled(self, prompt: Prompt) -> tuple[str, list[Any]]:
        """Return a prompt as the model reads it, and its pictures.

        Raises:
            SaysoError: if it has a form that this model does not know.
        """
        pictures = [frame for picture in prompt.pictures for frame in frames_of(picture)]
        if self._processor.chat_template:
            text = self._tokenizer.apply_chat_template(
                as_messages(prompt),
                chat_template=self._processor.chat_template,
                add_generation_prompt=True,
                tokenize=False,
            )
            return str(text), pictures
        if self._family not in PLAIN:
            raise SaysoError(
                f"the model {self.name} has no chat template, so it is not known how to put a question to it;"
                " copy chat_template.jinja into its folder"
            )
        if len(pictures) != 1 or len(prompt.exchanges) != 1:
            raise SaysoError(
                f"the model {self.name} ({self._family}) takes one picture and one question;"
                f" got {len(pictures)} and {len(prompt.exchanges)}"
            )
        asked = prompt.exchanges[0].text.replace(IMAGE, "").strip()
        return PLAIN[self._family].replace("{}", asked) if asked else "", pictures

    def _processed(self, texts: list[str], pictures: list[list[Any]]) -> Any:
        """Return model inputs of B texts with their pictures, padded on the left.

        Raises:
            SaysoError: if the processor refuses them.
        """
        from PIL import Image

        images = [[Image.fromarray(one) for one in row] for row in pictures]
        options: dict[str, Any] = {"images": images} if any(images) else {}
        try:
            if self._family in PLAIN:  # their processors put the picture's tokens before the padding
                each = [
                    self._processor(text=text, images=row, return_tensors="pt")
                    for text, row in zip(texts, images, strict=True)
                ]
                return _padded_left(each, self._tokenizer.pad_token_id, self.device)
            made = self._processor(text=texts, padding=True, return_tensors="pt", **options)
        except (ValueError, TypeError, IndexError) as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise SaysoError(
                f"the model {self.name} cannot take these pictures and texts: {first}"
            ) from error
        return made.to(self.device)


def _padded_left(each: Sequence[Any], padding: int, device: torch.device) -> dict[str, torch.Tensor]:
    """Return the inputs of B prompts as one batch."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    longest = max(one["input_ids"].shape[1] for one in each)
    made: dict[str, torch.Tensor] = {}
    for name in each[0]:
        value = padding if name.endswith("input_ids") else 0
        rows = [
            F.pad(one[name], (longest - one[name].shape[1], 0), value=value)
            if one[name].ndim == 2
            else one[name]
            for one in each
        ]
        made[name] = torch.cat(rows).to(device)
    return made
