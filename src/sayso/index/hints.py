"""What makes a query come to nothing though nothing failed: said once, with the way out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from sayso.index.conditions import Asked, read_conditions
from sayso.index.query import Person, parse_query, people_filter, text_of
from sayso.index.ranking import choose_text_weight
from sayso.index.timed import read_rows

if TYPE_CHECKING:
    from threading import RLock

    from sayso.encoders.interface import Encoder
    from sayso.index.store import Store

log = logging.getLogger(__name__)
MANY = 0.5  # of a query's words that the model does not know
ANYBODY = '"who": "[^"]'


class Hints:
    """Hints about the queries of one index."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._said: set[str] = set()

    def about(
        self, query: str, text_weight: float | None, encoder: Callable[[], Encoder], turn: RLock
    ) -> list[str]:
        """Return what is to be said of a query: that nothing is here, or people and words nobody knows here.

        Args:
            query: as for ``Index.search``; its terms name no files.
            text_weight: the same.
            encoder: gives the model of the index; called only where it is asked.
            turn: held while the model is asked.
        """
        if told := self.about_emptiness():
            return told
        asked = read_conditions(query)
        terms = parse_query(asked.words, files=False) if asked.words.strip() else []
        told = self.about_conditions(asked)
        if terms and choose_text_weight(text_weight, text_of(terms)) < 1:
            with turn:
                told += self.about_words(encoder(), [term.text for term in terms])
        return told

    def about_emptiness(self) -> list[str]:
        """Return that the index holds nothing, if so."""
        if not self.store.live.is_empty():
            return []
        address = self.store.address
        return [f"the index {address} is empty; add files to it with: sayso index {quote(address)} PATH..."]

    def about_conditions(self, asked: Asked) -> list[str]:
        """Return that the index names nobody, nobody of a name, or no places, where these are asked for."""
        told = self._about_people(asked.people)
        if not asked.places or "latitude" not in self.store.clips.schema.names:  # then the search says so
            return told
        if not self._holds("latitude IS NOT NULL"):
            told.append(
                f"no file of {self.store.address} says where it was taken, so near: finds nothing; "
                "telephones write it into what they take if they may know the place"
            )
        return told

    def _about_people(self, people: Sequence[Person]) -> list[str]:
        """Return that the index names nobody, or nobody of this name."""
        if not people:
            return []
        if not self._holds(f"regexp_like(shown, '{ANYBODY}')"):
            return [
                f"{self.store.address} names nobody, so who: finds nobody; 'sayso name' says who is on "
                "screen, and 'sayso index' takes the manifest that it writes"
            ]
        nobody = [one for one in people if not self._holds(people_filter(None, [Person(one.name)]) or "")]
        return [f"{self.store.address} names nobody {one.name!r}" for one in nobody]

    def about_words(self, encoder: Encoder, texts: Sequence[str]) -> list[str]:
        """Return which words the model does not know, where these are many, or not of its language."""
        from sayso.encoders import foreign_to, unknown_words

        foreign = [word for text in texts for word in foreign_to(encoder, text)]
        if foreign:
            return [
                f"this does not look like English ({_listed(foreign)}), and the model {encoder.name} knows "
                "no other language: what it finds means little; ask in English"
            ]
        unknown = [word for text in texts for word in unknown_words(encoder, text)]
        if not unknown or len(unknown) < MANY * sum(len(text.split()) for text in texts):
            return []
        return [
            f"the model {encoder.name} does not know {_listed(unknown)}: what it finds for that means "
            "little; ask in its language (English for most models)"
        ]

    def say(self, hints: Iterable[str]) -> None:
        """Warn of what was not said yet."""
        for hint in hints:
            if hint not in self._said:
                self._said.add(hint)
                log.warning("%s", hint)

    def _holds(self, sql: str) -> bool:
        query = self.store.clips.search().where(sql).select(["id"]).limit(1)
        return len(read_rows(query)) > 0


def _listed(words: Iterable[str]) -> str:
    return ", ".join(map(repr, dict.fromkeys(words)))
