"""The collections that a server holds, each an index with a model of its own.

Where there are several, a client's ids are ``COLLECTION:ID``, so that an id leads into its own collection
only; of a server of one collection they are the index's own.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException

from sayso.core.errors import SaysoError, Unavailable
from sayso.index import Hit, Index
from sayso.index.searcher import newest_first
from sayso.serve.holdings import Holdings

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

Search = Callable[[Holdings, int, int], list[Hit]]
"""Searches a collection from an offset on, up to a limit."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a client's id leads.

    Args:
        holdings: of the collection.
        id: in that collection, of a clip or a file.
        name: of the collection; "" where there is one only.
    """

    holdings: Holdings
    id: str
    name: str


class Collections:
    """What a server holds.

    Args:
        holdings: by name, in the order in which they are offered.
        unopened: names of those that could not be opened, and why, a sentence each.
    """

    def __init__(self, holdings: Mapping[str, Holdings], unopened: Mapping[str, str] | None = None) -> None:
        self.holdings, self.unopened = dict(holdings), dict(unopened or {})
        self.several = len(self.holdings) + len(self.unopened) > 1

    def warm_up(self) -> None:
        """Load the models before the first query."""
        for holdings in self.holdings.values():
            holdings.warm_up()

    def asked(self, name: str) -> dict[str, Holdings]:
        """Return the collections of a request: the one of a name, or all without one.

        Raises:
            HTTPException: 404 if there is none of that name.
            Unavailable: if it could not be opened.
        """
        if not name:
            return self.holdings
        if name in self.unopened:
            raise Unavailable(f"the collection {name} is not served: {self.unopened[name]}")
        if name not in self.holdings:
            names = ", ".join(self.holdings)
            raise HTTPException(404, f"there is no collection {name[:60]!r} here; there is {names}")
        return {name: self.holdings[name]}

    def place(self, id_: str, what: str) -> Placed:
        """Return where an id leads; whether the collection holds it, it says itself.

        Args:
            id_: as a client writes it.
            what: of which it is: clip or file.

        Raises:
            HTTPException: 404 if it names no collection.
        """
        if not self.several:
            (holdings,) = self.holdings.values()
            return Placed(holdings, id_, "")
        name, _, plain = id_.partition(":")
        if name not in self.holdings or not plain:
            raise no_such(what, id_)
        return Placed(self.holdings[name], plain, name)

    def label(self, name: str, hits: Sequence[Hit]) -> list[Hit]:
        """Return the hits of a collection with the ids that clients know them by."""
        if not self.several:
            return list(hits)
        return [_labelled(hit, f"{name}:") for hit in hits]

    def hints(self, name: str, query: str, text_weight: float | None) -> list[str]:
        """Return why what a query finds may mean little, each sentence once.

        Args:
            name: of the collection; "" for all.
            query: of a search that was answered.
            text_weight: of the words, as for ``Index.search``.
        """
        told: dict[str, None] = {}
        for holdings in self.asked(name).values():
            with contextlib.suppress(SaysoError):  # the search has said that this one cannot be asked
                told |= dict.fromkeys(holdings.hints(query, text_weight))
        return list(told)

    def search(
        self, name: str, span: tuple[int, int], search: Search, *, by_time: bool = False
    ) -> tuple[list[Hit], list[str]]:
        """Search one collection, or all of them: scores are calibrated in each, so they compare.

        Args:
            name: of the collection; "" for all.
            span: offset and limit of what is wanted of the ranking.
            search: called with each, an offset and a limit.
            by_time: whether each answers the newest first if it finds any.

        Returns:
            Hits, best or newest first, and a sentence for each collection that could not be searched.

        Raises:
            SaysoError: if none could be.
        """
        offset, limit = span
        held = self.asked(name)
        if len(held) == 1:
            ((one, holdings),) = held.items()
            return self.label(one, search(holdings, offset, limit)), []
        hits: list[Hit] = []
        failures: dict[str, SaysoError] = {}
        for one, holdings in held.items():
            try:
                hits += self.label(one, search(holdings, 0, offset + limit))
            except SaysoError as error:
                failures[one] = error
        if len(failures) == len(held):
            raise next(iter(failures.values()))
        found = [hit for hit in hits if hit.likely]
        hits = newest_first(found) if by_time and found else sorted(hits, key=lambda hit: -hit.score)
        return hits[offset : offset + limit], [f"{one}: {error}" for one, error in failures.items()]


def similar_in(holdings: Holdings, clip: Placed, query: str, **options: Any) -> list[Hit]:
    """Search a collection for what looks like a clip, which may be of another one.

    Args:
        holdings: where.
        clip: compared by its vector in its own collection, by its thumbnail elsewhere, and with words.
        query: words that are added; "" for none.
        options: of ``Index.search``.

    Raises:
        KeyError: if there is no such clip.
    """
    if holdings is clip.holdings:
        search = holdings.search_like if query.strip() else holdings.similar
        return search(clip.id, query, **options)
    from PIL import Image

    with Image.open(io.BytesIO(clip.holdings.index.thumbnail(clip.id))) as thumb:
        return holdings.search(query, like=thumb.convert("RGB"), **options)


def no_such(what: str, id_: str) -> HTTPException:
    """Return the 404 for an id that is not in the index."""
    return HTTPException(404, f"the index holds no {what} {id_[:60]!r}")


def _labelled(hit: Hit, label: str) -> Hit:
    copies = tuple(replace(copy, id=label + copy.id, media_id=label + copy.media_id) for copy in hit.copies)
    return replace(hit, id=label + hit.id, media_id=label + hit.media_id, copies=copies)


class ServedIndex(Index):
    """An index that shares its loaded model with the others of a server that were made by it."""

    loaded: dict[str, Encoder] | None = None
    """The loaded models, by SHA-256."""

    @property
    def encoder(self) -> Encoder:
        """The model of this index, loaded when first needed by any that has it."""
        if self.loaded is None:
            return super().encoder
        sha256 = self.store.identity.model_sha256
        if sha256 not in self.loaded:
            self.loaded[sha256] = super().encoder
        return self.loaded[sha256]


def open_collections(
    addresses: Sequence[str], model: str | None = None, *, device: str = "auto"
) -> tuple[dict[str, Index], dict[str, str]]:
    """Open indexes to be served together.

    Args:
        addresses: of the indexes.
        model: their model; by default, each its own.
        device: for the models.

    Returns:
        Indexes by name, and a sentence for each that cannot be opened, unless it is the only one.

    Raises:
        SaysoError: if none can be opened.
    """
    indexes: dict[str, Index] = {}
    unopened: dict[str, str] = {}
    loaded: dict[str, Encoder] = {}
    failure: SaysoError | None = None
    for name, address in zip(collection_names(addresses), addresses, strict=True):
        try:
            index = ServedIndex.open(address, model, create=False, device=device)
            index.info()  # raises if it is not readable
        except SaysoError as error:
            unopened[name], failure = str(error), failure or error
        else:
            if isinstance(index, ServedIndex):
                index.loaded = loaded
            indexes[name] = index
    if failure is not None and not indexes:
        raise failure
    return indexes, unopened


def collection_names(addresses: Sequence[str]) -> list[str]:
    """Return a short name for each index: what its address ends in, of letters that ids may hold."""
    names: list[str] = []
    for address in addresses:
        last = re.split(r"[\\/]", address.rstrip("\\/"))[-1].removesuffix(".index")
        plain = re.sub(r"[^\w.-]+", "-", last).strip("-.")[:60] or "index"
        numbered = (f"{plain}-{k}" for k in range(2, len(addresses) + 2))
        names.append(plain if plain not in names else next(one for one in numbered if one not in names))
    return names
