"""Dual encoders: pictures, clips and texts in one space, loaded by name.

Importing this loads nothing heavy; torch comes with the first picture.
"""

from sayso.encoders.base import ClipSpec, Encoder
from sayso.encoders.catalog import ModelInfo, list_models
from sayso.encoders.loading import load

__all__ = ["ClipSpec", "Encoder", "ModelInfo", "list_models", "load"]
