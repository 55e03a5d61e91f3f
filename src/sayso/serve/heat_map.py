"""Heat maps of pictures: by a localizer that knows the query as a class, else by the search's encoder."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sayso.core.errors import QueryError, SaysoError
from sayso.index.query import Term, embed_query, parse_query

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.encoders.dense import SimilarityMap
    from sayso.encoders.interface import Embeddings, Encoder
    from sayso.systems.localize import Localizer

SHOWN = 20  # classes that a message names


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """How much each grid cell of a picture is like a query.

    Args:
        scores: (h, w); the grid cells tile the whole picture.
        model: which made it.
        note: what a person should know, a sentence; mostly nothing.
    """

    scores: SimilarityMap
    model: str
    note: str = ""


class HeatMaps:
    """Makes heat maps, one at a time.

    Args:
        encoder: gives the encoder of the search.
        model_turn: is held while the encoder embeds a text.
        localizer: knows some classes better; None: the encoder alone.
    """

    def __init__(
        self, encoder: Callable[[], Encoder], model_turn: threading.RLock, localizer: Localizer | None = None
    ) -> None:
        self.encoder, self.model_turn, self.localizer = encoder, model_turn, localizer
        self.map_turn = threading.Lock()

    def make(self, picture: Image, query: str) -> HeatMap:
        """Return the heat map of a picture, RGB of any size; terms of the query name no files.

        Raises:
            QueryError: if the query cannot be understood.
            SaysoError: if no model can tell where it is.
        """
        terms = parse_query(query, files=False)
        number = self._class_of(terms)
        if self.localizer is not None and number is not None:
            with self.map_turn:
                located = self.localizer.see(picture)
            return HeatMap(located.maps[number], self.localizer.name)
        with self.model_turn:
            vector = embed_query(terms, self.encoder())
        with self.map_turn:  # one at a time, and searches go on meanwhile
            return self._of_encoder(picture, vector, query)

    def _of_encoder(self, picture: Image, vector: Embeddings, query: str) -> HeatMap:
        from sayso.encoders.dense import DenseEncoder, similarity_map

        encoder = self.encoder()
        if self.localizer is None:
            return HeatMap(similarity_map(encoder, picture, vector), encoder.name)
        unknown = f"the localizer knows no {query.strip()!r}"
        if not isinstance(encoder, DenseEncoder):
            names = self.localizer.names
            more = " ..." if len(names) > SHOWN else ""
            raise QueryError(
                f"{unknown}; it knows {', '.join(names[:SHOWN])}{more}; and the model {encoder.name}"
                " tells what a picture shows, but not where in it"
            )
        note = f"{unknown}, so this is the map of the search's model {encoder.name}"
        return HeatMap(similarity_map(encoder, picture, vector), encoder.name, note)

    def _class_of(self, terms: list[Term]) -> int | None:
        """Return the class of the localizer that a query of one term names, None if it names none."""
        if self.localizer is None or len(terms) != 1 or terms[0].weight <= 0:
            return None
        wanted = terms[0].text.casefold().strip()
        names = (name.casefold().strip() for name in self.localizer.names)
        return next((number for number, name in enumerate(names) if name == wanted), None)


def load_localizer(run: str, device: str = "auto") -> Localizer:
    """Load the localizer of a run.

    Raises:
        SaysoError: if there is none, or it is a model of another kind.
    """
    from sayso.hub import load
    from sayso.hub.pretrained import in_words
    from sayso.systems.localize import Localizer

    model = load(run, device=device)
    if not isinstance(model, Localizer):
        kind = in_words(getattr(model, "kind", type(model).__name__))
        raise SaysoError(f"{run} holds {kind}; --where takes a run of: sayso train localize")
    return model
