"""A video network and a sentence network that share one space: what MIL-NCE trains."""

from __future__ import annotations

from torch import Tensor, nn

from sayso.models.bow_text import SentenceNet
from sayso.models.s3d import S3D


class TextVideoNet(nn.Module):
    """Clips and captions in one space, compared by the plain dot product.

    Args:
        video: (B, 3, T, H, W) to (B, D).
        text: numbers of words (..., L) to (..., D).

    Raises:
        ValueError: if their embeddings are not of one length.
    """

    def __init__(self, video: S3D, text: SentenceNet) -> None:
        super().__init__()
        if video.dim != text.dim:
            raise ValueError(f"both networks need one length of embedding; got {video.dim} and {text.dim}")
        self.dim, self.video, self.text = video.dim, video, text

    def forward(self, video: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embeddings of clips, (B, D), and of captions, (..., D)."""
        return self.video(video), self.text(words)
