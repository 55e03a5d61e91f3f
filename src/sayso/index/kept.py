"""The last few values of what is asked for again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The values that were asked for last; several threads may ask, and two at once may both make one.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._turn = threading.Lock()
        self._values: dict[Hashable, Value] = {}

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made if it is not kept; nothing is kept where that fails.

        Args:
            key: also names the version of all that the value is made of.
            make: makes it.
        """
        with self._turn:
            if key in self._values:
                self._values[key] = self._values.pop(key)  # the newest comes last
                return self._values[key]
        value = make()
        with self._turn:
            self._values[key] = value
            while len(self._values) > self.most:
                del self._values[next(iter(self._values))]
        return value
