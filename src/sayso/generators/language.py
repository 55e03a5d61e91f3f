"""A frozen causal language model, and what can be put before its layers without changing its class.

A function gets what goes into chosen layers, and what it returns goes in instead (``before_layers``): so
``generate``, caches and beam search stay the transformers library's own.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.data.interleaved import END, IMAGE
from sayso.generators.base import longest_text
from sayso.generators.markers import add_markers, beginning, find_markers
from sayso.generators.smollm2 import SHA256, SMOLLM2, smollm2_folder
from sayso.hub.download import hub_folder
from sayso.hub.hub_folder import identity, quiet_transformers, refuse_own_code

LAYERS = {  # where the layers are, by the model's type
    "llama": "model.layers",
    "mistral": "model.layers",
    "qwen2": "model.layers",
    "opt": "model.decoder.layers",
    "gpt_neox": "gpt_neox.layers",
    "mpt": "transformer.blocks",
    "gptj": "transformer.h",
}
NORMS = {"llama": "norm", "mistral": "norm", "qwen2": "norm", "gpt_neox": "final_layer_norm"}
BeforeLayer = Callable[[int, Tensor], Tensor]  # number of the place, (B, T, W) -> (B, T, W)


class LanguageModel:
    """A causal language model of the transformers library; its weights never change.

    Copies of what holds it share it: it does not get copied.

    Args:
        model: in evaluation mode.
        tokenizer: its own.
        name: what ``load_language_model`` takes to get it again.
        sha256: gives the identity of weights and vocabulary.
        added_markers: give both marks tokens of their own behind the vocabulary, as OpenFlamingo does.

    Raises:
        SaysoError: if the family of models is not known.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        name: str,
        sha256: Callable[[], str],
        *,
        added_markers: bool = False,
    ) -> None:
        self.model, self.tokenizer, self.name = model.eval().requires_grad_(False), tokenizer, name
        self._sha256, self.added_markers = sha256, added_markers
        self.family = str(model.config.model_type)
        if self.family not in LAYERS:
            raise SaysoError(
                f"the language model {name} is of the kind {self.family}, whose layers are not known;"
                f" take one of {', '.join(LAYERS)}"
            )
        self.layers_name = LAYERS[self.family]
        self.layers: nn.ModuleList = model.get_submodule(self.layers_name)
        self.width = int(model.get_input_embeddings().embedding_dim)
        self.markers = add_markers(model, tokenizer) if added_markers else find_markers(model, tokenizer)
        self._begin = beginning(tokenizer)
        self._head = model.get_output_embeddings()

    def __deepcopy__(self, memo: dict[int, Any]) -> LanguageModel:
        return self

    def with_model(self, model: Any) -> LanguageModel:
        """Return this language model with the weights of another copy of it."""
        other = copy.copy(self)
        other.model, other.layers = model, model.get_submodule(self.layers_name)
        other._head = model.get_output_embeddings()
        return other

    @cached_property
    def sha256(self) -> str:
        """Identity of weights and vocabulary."""
        return self._sha256()

    @property
    def device(self) -> torch.device:
        """Where it is."""
        device: torch.device = self.model.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """Of its weights."""
        dtype: torch.dtype = self.model.dtype
        return dtype

    @property
    def longest(self) -> int | None:
        """How many tokens it reads at most; None if that is not known."""
        return longest_text(self.model.config)

    @property
    def splits(self) -> bool:
        """Whether the layers below a place can be run alone, and the others later."""
        return self.family in NORMS

    def encode(self, text: str, *, begin: bool = True) -> list[int]:
        """Return a text's tokens; ``<image>`` and ``<|endofchunk|>`` in it are marks.

        Args:
            text: of any length.
            begin: put the token in front that the model's texts begin with, if there is one.
        """
        ids = list(self._begin) if begin else []
        for n, piece in enumerate(text.split(IMAGE)):
            ids += [self.markers.image] * (n > 0)
            for m, part in enumerate(piece.split(END)):
                ids += [self.markers.end] * (m > 0)
                words = self.tokenizer(part, add_special_tokens=False).input_ids if part else []
                ids += [token for token in words if token != self.markers.image]  # a mark is no word
        return ids

    def decode(self, tokens: Tensor) -> list[str]:
        """Return the texts of tokens (B, T), without marks."""
        kept = [
            [int(t) for t in row if int(t) not in (self.markers.end, self.markers.image)] for row in tokens
        ]
        texts: list[str] = self.tokenizer.batch_decode(kept, skip_special_tokens=True)
        return texts

    def marker_rows(self) -> dict[str, Tensor]:
        """Return the embeddings of both marks, end first: ``inputs`` (2, W), and ``outputs`` if not tied."""
        both = [self.markers.end, self.markers.image]
        tables = {"inputs": self.model.get_input_embeddings().weight, "outputs": self._head.weight}
        if tables["outputs"] is tables["inputs"]:
            del tables["outputs"]
        return {name: table[both].detach().clone() for name, table in tables.items()}

    def set_marker_rows(self, rows: Mapping[str, Tensor]) -> None:
        """Take over what ``marker_rows`` returned.

        Raises:
            SaysoError: if they are of another width.
        """
        for name, values in rows.items():
            table = self.model.get_input_embeddings() if name == "inputs" else self._head
            if values.shape != (2, table.weight.shape[1]):
                raise SaysoError(
                    f"the marks' embeddings are {tuple(values.shape)}, where {self.name} has width"
                    f" {table.weight.shape[1]}: they are of another language model"
                )
            with torch.no_grad():
                table.weight[[self.markers.end, self.markers.image]] = values.to(table.weight)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return what the last hidden states (..., W) say of the next token, (..., vocabulary)."""
        out: Tensor = self._head(hidden)
        return out

    def hidden(self, ids: Tensor, mask: Tensor | None = None, cache: Any = None) -> Tensor:
        """Return the last hidden states (B, T, W).

        Args:
            ids: (B, T).
            mask: (B, past + T), 1 where there is a token; None: everywhere, or padded on the right.
            cache: of the transformers library; what was there is the past, and it is added to.
        """
        options: dict[str, Any] = {"attention_mask": mask, "use_cache": cache is not None}
        if mask is not None and self._takes_positions:
            options["position_ids"] = (mask.long().cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        out: Tensor = self.model.base_model(input_ids=ids, past_key_values=cache, **options).last_hidden_state
        return out

    def lower(self, ids: Tensor, below: int) -> Tensor:
        """Return what goes into layer number ``below``, (B, T, W); rows (B, T) are padded on the right."""
        with torch.no_grad():
            out: Tensor = self._part(0, below)(input_ids=ids, use_cache=False).last_hidden_state
        return out

    def upper(self, hidden: Tensor, below: int) -> Tensor:
        """Return the last hidden states (B, T, W) of what goes into layer number ``below``."""
        out: Tensor = self._part(below, len(self.layers))(
            inputs_embeds=hidden, use_cache=False
        ).last_hidden_state
        return out

    @contextlib.contextmanager
    def before_layers(
        self, places: Sequence[int], change: BeforeLayer, begin: Callable[[int], object] = int
    ) -> Iterator[None]:
        """Let a function change what goes into some layers, until the block ends.

        Args:
            places: numbers of layers, from 0.
            change: gets the number of the place in ``places``, and the hidden states.
            begin: called before each run of the model with the number of tokens in its cache.
        """

        def count_past(module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:  # noqa: ARG001
            cache = named.get("past_key_values")
            begin(0 if cache is None else int(cache.get_seq_length()))

        def hook_of(n: int) -> Callable[..., Any]:
            def hook(module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> Any:  # noqa: ARG001
                if inputs:
                    return (change(n, inputs[0]), *inputs[1:]), named
                return inputs, {**named, "hidden_states": change(n, named["hidden_states"])}

            return hook

        handles = [
            self.layers[place].register_forward_pre_hook(hook_of(n), with_kwargs=True)
            for n, place in enumerate(places)
        ]
        decoder = self.model.get_submodule(self.layers_name.rpartition(".")[0])
        handles.append(decoder.register_forward_pre_hook(count_past, with_kwargs=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @property
    def _takes_positions(self) -> bool:
        """Whether positions have to be told where rows are padded on the left."""
        return (
            self.family != "opt"
            and "position_ids" in inspect.signature(self.model.base_model.forward).parameters
        )

    def _part(self, start: int, stop: int) -> Any:
        """Return the decoder with some of its layers, shared; without the last norm unless at the end."""
        whole = self.model.base_model
        part = copy.copy(whole)
        part._modules = dict(whole._modules)
        part._modules["layers"] = nn.ModuleList(list(self.layers)[start:stop])
        if stop < len(self.layers):
            part._modules[NORMS[self.family]] = nn.Identity()
        return part


def load_language_model(
    name: str = SMOLLM2,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    **options: Any,
) -> LanguageModel:
    """Load a causal language model.

    Args:
        name: ``smollm2``, a folder, or a hub id.
        device: where it is put.
        dtype: of its weights.
        options: of ``LanguageModel``.

    Raises:
        SaysoError: if there is none, or it is of an unknown kind.
        Unavailable: if it is not on this machine and cannot be fetched.
    """
    transformers = need("transformers", "hub")
    folder = _folder(name)
    refuse_own_code(folder, f"the language model {name}")
    with quiet_transformers():
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=dtype
            )
        except (OSError, ValueError, KeyError, ImportError) as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise SaysoError(f"{name} holds no language model that can be read: {first}") from error
    sha256 = (lambda: SHA256) if name == SMOLLM2 else (lambda: identity(folder))
    return LanguageModel(model.to(device), tokenizer, name, sha256, **options)


def _folder(name: str) -> Path:
    if name == SMOLLM2:
        return smollm2_folder()
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if "/" not in name:
        raise SaysoError(f"no language model is called {name!r}; give {SMOLLM2!r}, a folder or a hub id")
    return hub_folder(name)
