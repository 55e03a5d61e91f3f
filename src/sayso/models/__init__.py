"""Networks: pixels, features and words to embeddings. torch is imported with the first of them."""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.models.bow_text import SentenceNet, WordTokenizer
    from sayso.models.feature_text import HowTo100MNet
    from sayso.models.gated_embedding import GatedEmbedding
    from sayso.models.s3d import S3D
    from sayso.models.s3d_inference import FastS3D
    from sayso.models.video_text import TextVideoNet
else:
    __getattr__ = exports(
        __name__,
        {
            "S3D": "sayso.models.s3d",
            "FastS3D": "sayso.models.s3d_inference",
            "GatedEmbedding": "sayso.models.gated_embedding",
            "HowTo100MNet": "sayso.models.feature_text",
            "SentenceNet": "sayso.models.bow_text",
            "TextVideoNet": "sayso.models.video_text",
            "WordTokenizer": "sayso.models.bow_text",
        },
    )

__all__ = ["S3D", "FastS3D", "GatedEmbedding", "HowTo100MNet", "SentenceNet", "TextVideoNet", "WordTokenizer"]
