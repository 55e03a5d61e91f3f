"""What can be found by name: systems, encoders, evaluators, kinds of model folders.

A registry knows its own by import path, so that nothing is imported before it is used, and those of
other packages by entry point: a package that declares

    [project.entry-points."sayso.systems"]
    my-system = "my_package.my_system:SYSTEM"

is found as soon as it is installed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from sayso.core.errors import SaysoError, UsageError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names and what they stand for.

    Args:
        what: one of them, in a sentence: ``system``, ``evaluator``.
        group: the group of entry points in which other packages declare theirs.
        built_in: name -> ``module:attribute`` of this package's own.
    """

    def __init__(self, what: str, group: str, built_in: Mapping[str, str]) -> None:
        self.what, self.group, self.built_in = what, group, dict(built_in)

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or name in self._outside()

    def __iter__(self) -> Iterator[str]:
        """Yield all names: this package's own in their order, then those of others, sorted."""
        outside = self._outside()
        yield from self.built_in
        yield from sorted(outside.keys() - self.built_in.keys())

    def __getitem__(self, name: str) -> T:
        """Return what a name stands for; its module is imported now.

        Raises:
            SaysoError: if there is none of that name (with the nearest), or its package cannot be imported.
        """
        if name in self.built_in:
            module, _, attribute = self.built_in[name].partition(":")
            return cast(T, getattr(import_module(module), attribute))
        outside = self._outside()
        if name not in outside:
            known = list(self)
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"there is no {self.what} {name!r}; {hint}")
        try:
            return cast(T, outside[name].load())
        except (ImportError, AttributeError) as error:
            where = outside[name].value
            raise SaysoError(f"the {self.what} {name!r} cannot be loaded from {where}: {error}") from error

    def _outside(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}
