"""Losses: how a model learns from labels that are only roughly right, or say little."""

from sayso.losses.contrastive import contrastive
from sayso.losses.image_labels import image_labels
from sayso.losses.info_nce import info_nce
from sayso.losses.max_margin import max_margin
from sayso.losses.mil_nce import mil_nce

__all__ = ["contrastive", "image_labels", "info_nce", "max_margin", "mil_nce"]
