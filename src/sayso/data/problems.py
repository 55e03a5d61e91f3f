"""Records that cannot be used, counted by reason: a million of them take no more memory than one.

What is *broken* makes a command end with exit code 3. What is *missing* (a download that failed, a file
that is listed and not there) is counted and told, and is no failure: of web data a fifth always is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sayso.data.manifest import Failure, printable

MOST_REASONS = 200
OTHER = "other reasons"


@dataclass(frozen=True, slots=True)
class RecordProblem:
    """A record that cannot be used, or some with the same reason.

    Args:
        where: the file or the sample, the first of them.
        reason: why, the same words for all that have this reason.
        missing: whether nothing is broken, only not there.
        count: how many records.
    """

    where: str
    reason: str
    missing: bool = False
    count: int = 1


@dataclass(slots=True)
class Problems:
    """How many records have each reason, and one of them."""

    found: dict[tuple[str, bool], RecordProblem] = field(default_factory=dict)

    def add(self, problem: RecordProblem) -> None:
        """Count a record; after 200 reasons new ones are counted together."""
        key = (problem.reason, problem.missing)
        if key not in self.found and len(self.found) >= MOST_REASONS:
            key = (OTHER, problem.missing)
        known = self.found.get(key)
        total = problem.count + (known.count if known else 0)
        self.found[key] = RecordProblem(known.where if known else problem.where, *key, total)

    def __iter__(self) -> Iterator[RecordProblem]:
        """Yield the reasons with their counts, the most frequent first."""
        return iter(sorted(self.found.values(), key=lambda one: (one.missing, -one.count, one.reason)))

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self.found)

    @property
    def broken(self) -> int:
        """How many records are there but broken."""
        return sum(one.count for one in self if not one.missing)

    @property
    def missing(self) -> int:
        """How many records are listed but not there."""
        return sum(one.count for one in self if one.missing)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What is broken, one failure for each reason, with its count and the first record."""
        return tuple(Failure(one.where, "pairs", line) for one, line in self._lines() if not one.missing)

    @property
    def lines(self) -> list[str]:
        """A sentence for each reason, broken ones first."""
        return [line for _, line in self._lines()]

    def _lines(self) -> Iterable[tuple[RecordProblem, str]]:
        return (
            (one, f"{one.count:,} left out: {one.reason}, such as {printable(one.where)}") for one in self
        )
