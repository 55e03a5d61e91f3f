"""A picture with captions, as a listing has it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListedPicture:
    """Where a picture lies, and what is said of it.

    Args:
        key: its name in what lists it.
        path: its file, or the archive that holds it.
        captions: at least one.
        part: first byte and size in an archive; (0, -1): a file of its own.
        url: where it was found; empty if unknown.
        original: width and height before it was made smaller, pixels; None if unknown.
    """

    key: str
    path: str
    captions: tuple[str, ...]
    part: tuple[int, int] = (0, -1)
    url: str = ""
    original: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """What to call it in messages: its file, or the archive and its name in it."""
        return self.path if self.part[1] < 0 else f"{self.path}: {self.key}"
