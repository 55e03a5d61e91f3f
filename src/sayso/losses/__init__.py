"""Losses: how an embedding learns from pairs that are only roughly right."""

from sayso.losses.max_margin import max_margin
from sayso.losses.mil_nce import mil_nce

__all__ = ["max_margin", "mil_nce"]
