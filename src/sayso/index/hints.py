"""What makes a query come to nothing though nothing failed: said once, with the way out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING

from sayso.index.query import Person, people_filter

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder
    from sayso.index.store import Store

log = logging.getLogger(__name__)
WEAK = "offline"
MANY = 0.5  # of a query's words that the model does not know
ANYBODY = '"who": "[^"]'


class Hints:
    """Hints about the queries of one index; each is said once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._said: set[str] = set()

    def about_model(self) -> None:
        """Say that the model finds less than others, and how to change it."""
        model = self.store.identity.model
        if model == WEAK:
            self._say(
                "by the model %s, which finds less than one of the hub: sayso index %s --upgrade-model MODEL",
                model,
                quote(self.store.address),
            )

    def about_people(self, people: Sequence[Person]) -> None:
        """Say that the index names nobody, or nobody of this name."""
        if not people:
            return
        if not self._holds(f"regexp_like(shown, '{ANYBODY}')"):
            self._say(
                "%s names nobody, so who: finds nobody; 'sayso name' says who is on screen, and "
                "'sayso index' takes the manifest that it writes",
                self.store.address,
            )
            return
        for person in people:
            if not self._holds(people_filter(None, [Person(person.name)]) or ""):
                self._say("%s names nobody %r", self.store.address, person.name)

    def about_words(self, encoder: Encoder, texts: Sequence[str]) -> None:
        """Say which words the model does not know, where these are many."""
        from sayso.encoders import unknown_words

        unknown = [word for text in texts for word in unknown_words(encoder, text)]
        if unknown and len(unknown) >= MANY * sum(len(text.split()) for text in texts):
            self._say(
                "the model %s does not know %s: what it finds for that means little; ask in its language "
                "(English for most models)",
                encoder.name,
                ", ".join(map(repr, dict.fromkeys(unknown))),
            )

    def _holds(self, sql: str) -> bool:
        query = self.store.clips.search().where(sql).select(["id"]).limit(1)
        return len(query.to_arrow()) > 0

    def _say(self, message: str, *values: object) -> None:
        said = message % values
        if said not in self._said:
            self._said.add(said)
            log.warning("%s", said)
