"""The tokens that a language model has for the two marks of interleaved text, and where its texts begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from sayso.data.interleaved import END, IMAGE

SPARE_TOKENS = (
    IMAGE,
    "<file_sep>",
)  # what may stand for a picture; SmolLM2 reserves the second and never uses it


@dataclass(frozen=True, slots=True)
class Markers:
    """The tokens that a language model has for the two marks of interleaved text.

    Args:
        image: stands for a picture.
        end: ends an exchange.
    """

    image: int
    end: int


def beginning(tokenizer: Any) -> list[int]:
    """Return the tokens that a tokeniser puts in front of any text."""
    begin = tokenizer.bos_token_id
    ids = tokenizer("a").input_ids
    return [begin] if begin is not None and ids[:1] == [begin] else []


def find_markers(model: Any, tokenizer: Any) -> Markers:
    """Return tokens for the marks: one that the model never uses, and the one that ends its texts."""
    known = tokenizer.get_vocab()
    end = known.get(END, tokenizer.eos_token_id)
    spare = next((known[token] for token in SPARE_TOKENS if token in known), None)
    if spare is None:
        spare = len(tokenizer)
        _make_room(model, spare + 1)
    return Markers(int(spare), int(end))


def add_markers(model: Any, tokenizer: Any) -> Markers:
    """Return the tokens behind the vocabulary that OpenFlamingo adds, in its order."""
    first = len(tokenizer)
    more = 2 if tokenizer.pad_token is not None else 3
    model.resize_token_embeddings(first + more, mean_resizing=False)
    return Markers(image=first + 1, end=first)


def _make_room(model: Any, rows: int) -> None:
    """Give a model rows for new tokens, if it has too few; each is the mean of the others."""
    have = model.get_input_embeddings().weight.shape[0]
    if have >= rows:
        return
    model.resize_token_embeddings(rows, mean_resizing=False)
    for table in (model.get_input_embeddings(), model.get_output_embeddings()):
        with torch.no_grad():
            table.weight[have:] = table.weight[:have].mean(0)
