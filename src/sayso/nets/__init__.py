"""Networks: pixels, features and words to embeddings. torch is imported with the first of them."""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.nets.fused import FastS3D
    from sayso.nets.gated import GatedEmbedding
    from sayso.nets.howto100m import HowTo100MNet
    from sayso.nets.s3d import S3D
    from sayso.nets.sentence import SentenceNet, WordTokenizer
    from sayso.nets.text_video import TextVideoNet

__all__ = ["S3D", "FastS3D", "GatedEmbedding", "HowTo100MNet", "SentenceNet", "TextVideoNet", "WordTokenizer"]

__getattr__ = exports(
    __name__,
    {
        "S3D": "sayso.nets.s3d",
        "FastS3D": "sayso.nets.fused",
        "GatedEmbedding": "sayso.nets.gated",
        "HowTo100MNet": "sayso.nets.howto100m",
        "SentenceNet": "sayso.nets.sentence",
        "TextVideoNet": "sayso.nets.text_video",
        "WordTokenizer": "sayso.nets.sentence",
    },
)
