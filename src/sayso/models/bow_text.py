"""Captions to embeddings: a maximum over words, which needs no order and no grammar.

Each word's frozen vector goes through a layer with ReLU; the largest activation over the words of
the caption is kept, and mapped to the embedding. Padding takes part in the maximum, as published.

Source: Miech, Alayrac et al., CVPR 2020, section 3. https://arxiv.org/abs/1912.06430
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sayso.text.language.vocabulary import WORD

PADDING = 0


class WordTokenizer:
    """Words to their numbers: the position in the list, from 1; 0 is padding.

    Args:
        words: the vocabulary; where a word stands twice, its last place counts.
        max_words: L, words of a caption that are read.
        lower: read captions in lower case; otherwise words count as they stand.
    """

    def __init__(self, words: Sequence[str], max_words: int = 16, *, lower: bool = False) -> None:
        self.words, self.max_words, self.lower = list(words), max_words, lower
        self._numbers = {word: number for number, word in enumerate(self.words, 1)}

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Return (B, L) int64: the numbers of the first L known words of each text, then zeros."""
        numbers = torch.full((len(texts), self.max_words), PADDING)
        for row, text in zip(numbers, texts, strict=True):
            known = self.numbers(text)
            row[: len(known)] = torch.tensor(known, dtype=torch.int64)
        return numbers

    def reading(self, max_words: int) -> WordTokenizer:
        """Return the same vocabulary, of which so many words of a text are read."""
        return WordTokenizer(self.words, max_words, lower=self.lower)

    def numbers(self, text: str) -> list[int]:
        """Return the numbers of the first L known words; unknown words are passed over."""
        found = WORD.findall(text.lower() if self.lower else text)
        return [self._numbers[word] for word in found if word in self._numbers][: self.max_words]


class SentenceNet(nn.Module):
    """The text network of MIL-NCE.

    Args:
        vectors: (V, W) word vectors, row 0 that of the padding; they stay as they are.
        dim: D, length of an embedding.
        hidden: width of the layer whose maximum over words is taken.
    """

    def __init__(self, vectors: Tensor, dim: int = 512, *, hidden: int = 2048) -> None:
        super().__init__()
        self.dim, self.hidden = dim, hidden
        self.word_embd = nn.Embedding.from_pretrained(vectors, freeze=True)  # type: ignore[no-untyped-call]
        self.fc1 = nn.Linear(vectors.shape[1], hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, words: Tensor) -> Tensor:
        """Return embeddings (..., D), not normalised, of the numbers of words (..., L), integer."""
        each = self.fc1(self.word_embd(words)).relu()  # (..., L, hidden)
        embedding: Tensor = self.fc2(each.amax(-2))
        return embedding
