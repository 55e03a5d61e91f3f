"""What the parts below ``Store`` use of it."""

from __future__ import annotations

from typing import Any, Protocol

from sayso.index.schema import Identity


class Tables(Protocol):
    """The tables of an index, as ``sayso.index.store.Store`` has them."""

    address: str
    remote: bool

    def __init__(self, address: str) -> None: ...

    @property
    def exists(self) -> bool:
        """Whether there is an index."""

    @property
    def generation(self) -> int:
        """Which of the tables these are."""

    @property
    def identity(self) -> Identity:
        """What the index says of itself."""

    @property
    def clips(self) -> Any:
        """The table of moments."""

    @property
    def media(self) -> Any:
        """The table of files."""

    def table(self, name: str) -> Any | None:
        """Return one of the tables; None if there is none of this name."""

    def refresh(self) -> None:
        """See at once what other processes have written."""
