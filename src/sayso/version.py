"""The version, read by the build and by ``sayso --version``."""

__version__ = "0.1.0"
