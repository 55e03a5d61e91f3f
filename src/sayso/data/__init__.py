"""Data to learn from and to look at: videos with captions, examples drawn of them, batches."""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.data.candidates import bag_of, nearest
    from sayso.data.clips import Clips
    from sayso.data.corpus import Corpus, Missing
    from sayso.data.examples import Batch, Dataset, Example
    from sayso.data.features import FeatureClips, LanceFeatures, NpyFeatures, open_features
    from sayso.data.loader import Loader, Rate
    from sayso.data.reading import read_corpus

__getattr__ = exports(
    __name__,
    {
        "Batch": "sayso.data.examples",
        "Clips": "sayso.data.clips",
        "Corpus": "sayso.data.corpus",
        "Dataset": "sayso.data.examples",
        "Example": "sayso.data.examples",
        "FeatureClips": "sayso.data.features",
        "LanceFeatures": "sayso.data.features",
        "Loader": "sayso.data.loader",
        "Missing": "sayso.data.corpus",
        "NpyFeatures": "sayso.data.features",
        "Rate": "sayso.data.loader",
        "bag_of": "sayso.data.candidates",
        "nearest": "sayso.data.candidates",
        "open_features": "sayso.data.features",
        "read_corpus": "sayso.data.reading",
    },
)

__all__ = [
    "Batch",
    "Clips",
    "Corpus",
    "Dataset",
    "Example",
    "FeatureClips",
    "LanceFeatures",
    "Loader",
    "Missing",
    "NpyFeatures",
    "Rate",
    "bag_of",
    "nearest",
    "open_features",
    "read_corpus",
]
