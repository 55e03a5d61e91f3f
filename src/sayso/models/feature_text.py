"""The joint embedding of HowTo100M: features of a clip, and the words of its caption.

Clips come as 2D and 3D features, each of unit norm, side by side; captions as word vectors. Both
sides end in a gated embedding unit, and cosine compares them. Modules carry the published names.

Source: Miech et al., ICCV 2019, section 4. https://arxiv.org/abs/1906.03327
"""

from __future__ import annotations

from torch import Tensor, nn

from sayso.models.gated_embedding import GatedEmbedding


class WordPooling(nn.Module):
    """A layer with ReLU over each word vector, and the maximum over words."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.fc = nn.Linear(inputs, outputs)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return (..., outputs) of word vectors (..., L, inputs)."""
        return self.fc(vectors).relu().amax(-2)  # type: ignore[no-any-return]


class HowTo100MNet(nn.Module):
    """Features and words in one space.

    Args:
        vectors: (V, W) word vectors, row 0 zeros, for padding; they stay as they are.
        features: components of a clip's features, 4096 as published.
        dim: D, length of an embedding: 4096 in the paper, 6144 in the published file.
        sentence: width of the pooled words; None: D.
    """

    def __init__(
        self, vectors: Tensor, features: int = 4096, dim: int = 4096, *, sentence: int | None = None
    ) -> None:
        super().__init__()
        self.dim, self.feature_dim = dim, features
        self.options = {"features": features, "dim": dim, "sentence": sentence or dim}
        self.word_vectors = nn.Embedding.from_pretrained(vectors, freeze=True)  # type: ignore[no-untyped-call]
        self.text_pooling = WordPooling(vectors.shape[1], sentence or dim)
        self.GU_text = GatedEmbedding(sentence or dim, dim)
        self.GU_video = GatedEmbedding(features, dim)

    def forward(self, features: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embeddings of clips and of captions; see ``video`` and ``text``."""
        return self.video(features), self.text(words)

    def video(self, features: Tensor) -> Tensor:
        """Return (..., D), of unit norm, of features (..., F)."""
        embedding: Tensor = self.GU_video(features)
        return embedding

    def text(self, words: Tensor) -> Tensor:
        """Return (..., D), of unit norm, of the numbers of words (..., L), integer; 0 is padding."""
        embedding: Tensor = self.GU_text(self.text_pooling(self.word_vectors(words)))
        return embedding
