"""Whether a file that is not seen any more is gone, or only its drive."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence


class Seen:
    """What was seen of the folders that were looked through.

    Args:
        named: what was looked through, absolute.
        present: the files that were seen.
        unread: folders and files that could not be read.
    """

    def __init__(self, named: Sequence[str], present: Iterable[str], unread: Iterable[str]) -> None:
        self._named = tuple(named)
        self._below = tuple(map(_inside, self._named))
        self._unread = tuple(map(_inside, unread))
        paths = self._present = frozenset(present)
        self._usable = tuple(
            below
            for path, below in zip(self._named, self._below, strict=True)
            if os.path.isdir(path) and any(one.startswith(below) for one in paths)  # noqa: PTH112
        )

    def misses(self, path: str) -> bool:
        """Tell whether a file of the index should have been seen."""
        return path in self._named or path.startswith(self._below)

    def vanished(self, held: Iterable[str]) -> list[str]:
        """Return which files of the index should have been seen and are not there."""
        return [
            path
            for path in held
            if path not in self._present and self.misses(path) and not os.path.lexists(path)
        ]

    def is_gone(self, path: str) -> bool:
        """Tell whether a file that is missed is gone for good.

        It is not where its folder could not be read, where nothing at all is left of what was named (a drive
        that is not mounted leaves an empty folder), and where a link on the way to it leads nowhere.
        """
        if not path.startswith(self._usable) or path.startswith(self._unread):
            return False
        above = os.path.dirname(path)  # noqa: PTH120
        while not os.path.isdir(above):  # noqa: PTH112
            if os.path.islink(above):  # noqa: PTH114
                return False
            above = os.path.dirname(above)  # noqa: PTH120
        return True


def _inside(path: str) -> str:
    return os.path.join(path, "")  # noqa: PTH118
