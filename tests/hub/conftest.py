"""Fixtures that the tests of encoders use as well."""

from encoders.conftest import cache, no_sockets, pictures, tiny

__all__ = ["cache", "no_sockets", "pictures", "tiny"]
