"""Dual encoders: pictures, clips and texts in one space, loaded by name.

Importing this loads nothing heavy; torch comes with the first picture.
"""

from sayso.encoders.interface import ClipSpec, Encoder
from sayso.encoders.load_encoder import load
from sayso.hub.catalog import ModelInfo, list_models

__all__ = ["ClipSpec", "Encoder", "ModelInfo", "list_models", "load"]
