"""Data to learn from and to look at: videos with captions, examples drawn of them, batches."""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.data.bags import bag_of, nearest_captions
    from sayso.data.batch import Batch, Dataset, Example, ragged, stack
    from sayso.data.clips import Clips
    from sayso.data.corpus import Corpus, Missing
    from sayso.data.corpus_reader import read_corpus
    from sayso.data.datasets.coco_captions import CaptionedPictures, read_captioned
    from sayso.data.features import FeatureClips, LanceFeatures, NpyFeatures, open_features
    from sayso.data.loader import Loader, Rate
    from sayso.data.picture_dataset import PicturePairDataset
    from sayso.data.picture_pairs import PicturePairs, read_picture_pairs
    from sayso.data.tags_reader import read_tagged
else:
    __getattr__ = exports(
        __name__,
        {
            "Batch": "sayso.data.batch",
            "CaptionedPictures": "sayso.data.datasets.coco_captions",
            "Clips": "sayso.data.clips",
            "Corpus": "sayso.data.corpus",
            "Dataset": "sayso.data.batch",
            "Example": "sayso.data.batch",
            "FeatureClips": "sayso.data.features",
            "LanceFeatures": "sayso.data.features",
            "Loader": "sayso.data.loader",
            "Missing": "sayso.data.corpus",
            "NpyFeatures": "sayso.data.features",
            "PicturePairDataset": "sayso.data.picture_dataset",
            "PicturePairs": "sayso.data.picture_pairs",
            "Rate": "sayso.data.loader",
            "bag_of": "sayso.data.bags",
            "nearest_captions": "sayso.data.bags",
            "open_features": "sayso.data.features",
            "ragged": "sayso.data.batch",
            "read_captioned": "sayso.data.datasets.coco_captions",
            "read_corpus": "sayso.data.corpus_reader",
            "read_picture_pairs": "sayso.data.picture_pairs",
            "read_tagged": "sayso.data.tags_reader",
            "stack": "sayso.data.batch",
        },
    )


__all__ = [
    "Batch",
    "CaptionedPictures",
    "Clips",
    "Corpus",
    "Dataset",
    "Example",
    "FeatureClips",
    "LanceFeatures",
    "Loader",
    "Missing",
    "NpyFeatures",
    "PicturePairDataset",
    "PicturePairs",
    "Rate",
    "bag_of",
    "nearest_captions",
    "open_features",
    "ragged",
    "read_captioned",
    "read_corpus",
    "read_picture_pairs",
    "read_tagged",
    "stack",
]
