"""Numbers that say how good a system is, with numpy alone."""

from sayso.metrics.answers import vqa_accuracy
from sayso.metrics.captioning import cider
from sayso.metrics.retrieval import both_directions, retrieval, retrieval_from_embeddings

__all__ = ["both_directions", "cider", "retrieval", "retrieval_from_embeddings", "vqa_accuracy"]
