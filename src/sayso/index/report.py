"""What adding to an index did."""

from __future__ import annotations

from dataclasses import dataclass, field

from sayso.data.manifest import Failure

PART = "read in part"
"""Stage of a failure after which a file's other clips are there."""


@dataclass(slots=True)
class AddReport:
    """What adding did; counts are files, except ``clips``.

    Attributes:
        skipped: files of the folders that are neither videos nor pictures by their names.
        vanished: files of the index that are gone from the folders, and were not to be removed.
        absent: what the index remembers and cannot see, such as a drive that is not mounted.
    """

    files: int = 0
    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    moved: int = 0
    removed: int = 0
    clips: int = 0
    skipped: int = 0
    vanished: int = 0
    absent: tuple[str, ...] = ()
    failures: list[Failure] = field(default_factory=list)
