"""Dual encoders: pictures, clips and texts in one space, loaded by name.

Importing this loads nothing heavy; torch comes with the first picture.
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.core.arrays import Pixels
    from sayso.encoders.backbones import Backbone, load_backbone
    from sayso.encoders.batching import as_texts, in_batches, pool_clips, unit_norm
    from sayso.encoders.classifier import Classifier
    from sayso.encoders.dense import DenseEncoder, similarity_map
    from sayso.encoders.dual_encoder import DualEncoderModule
    from sayso.encoders.feature_text import HowTo100MEncoder
    from sayso.encoders.hub import HubEncoder
    from sayso.encoders.interface import ClipSpec, Embeddings, Encoder, Scaled
    from sayso.encoders.named import load_encoder
    from sayso.encoders.offline import OfflineEncoder
    from sayso.encoders.preprocess import as_square
    from sayso.encoders.published import convert_published
    from sayso.encoders.unknown import foreign_to, unknown_words
    from sayso.encoders.video_text import TextVideoEncoder
else:
    __getattr__ = exports(
        __name__,
        {
            "Backbone": "sayso.encoders.backbones",
            "Classifier": "sayso.encoders.classifier",
            "ClipSpec": "sayso.encoders.interface",
            "DenseEncoder": "sayso.encoders.dense",
            "DualEncoderModule": "sayso.encoders.dual_encoder",
            "Embeddings": "sayso.encoders.interface",
            "Encoder": "sayso.encoders.interface",
            "HowTo100MEncoder": "sayso.encoders.feature_text",
            "HubEncoder": "sayso.encoders.hub",
            "OfflineEncoder": "sayso.encoders.offline",
            "Pixels": "sayso.core.arrays",
            "Scaled": "sayso.encoders.interface",
            "TextVideoEncoder": "sayso.encoders.video_text",
            "as_square": "sayso.encoders.preprocess",
            "as_texts": "sayso.encoders.batching",
            "convert_published": "sayso.encoders.published",
            "foreign_to": "sayso.encoders.unknown",
            "in_batches": "sayso.encoders.batching",
            "load_backbone": "sayso.encoders.backbones",
            "load_encoder": "sayso.encoders.named",
            "pool_clips": "sayso.encoders.batching",
            "similarity_map": "sayso.encoders.dense",
            "unit_norm": "sayso.encoders.batching",
            "unknown_words": "sayso.encoders.unknown",
        },
    )

__all__ = [
    "Backbone",
    "Classifier",
    "ClipSpec",
    "DenseEncoder",
    "DualEncoderModule",
    "Embeddings",
    "Encoder",
    "HowTo100MEncoder",
    "HubEncoder",
    "OfflineEncoder",
    "Pixels",
    "Scaled",
    "TextVideoEncoder",
    "as_square",
    "as_texts",
    "convert_published",
    "foreign_to",
    "in_batches",
    "load_backbone",
    "load_encoder",
    "pool_clips",
    "similarity_map",
    "unit_norm",
    "unknown_words",
]
