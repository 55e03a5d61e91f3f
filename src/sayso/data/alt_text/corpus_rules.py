"""The rules for which the whole corpus has to be seen: how often texts, words, names and scores occur.

Pairs are read part by part, several times; what does not fit into memory is counted on disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sayso.data.alt_text.counting import KeyCounter
from sayso.data.alt_text.names import NameMatcher, is_kept, keep_shares
from sayso.data.alt_text.parts import Parts
from sayso.data.alt_text.rules import CurationRules
from sayso.data.alt_text.scoring import Scores, score_of_share

if TYPE_CHECKING:
    import pyarrow as pa

_BITS = {"picture-texts": 1, "text-pictures": 2, "rare-words": 4}
_READ = ["text", "content", "score", "dropped_by"]


class CorpusRules:
    """Decides about all pairs of a survey.

    Args:
        parts: what was surveyed.
        rules: which apply.
        names: of MetaCLIP's balancing; None: it is not done.
        folder: an empty folder for what is counted.
    """

    def __init__(self, parts: Parts, rules: CurationRules, names: Sequence[str] | None, folder: Path) -> None:
        self.parts, self.rules, self.folder = parts, rules, folder
        self._flags = self._flagged()
        self._least: float | None = rules.min_score
        if rules.best_share is not None:
            self._least = max(score_of_share(self._scores, rules.best_share), rules.min_score or -np.inf)
        self._matcher = None if names is None else NameMatcher(names)
        self._shares = self._balance()

    def decided(self) -> Iterator[tuple[pa.Table, list[str]]]:
        """Yield the tables of the parts, and for each of their rows the rule that drops it, or nothing."""
        start = 0
        for table in self.parts.batches():
            dropped = self._scored(table, start)
            if self._matcher is not None:
                found = self._matcher.find(table["text"].to_pylist())
                dropped = [
                    rule or self._named(names, start + n)
                    for n, (rule, names) in enumerate(zip(dropped, found, strict=True))
                ]
            yield table, dropped
            start += len(table)

    def _named(self, found: list[int], row: int) -> str:
        if not found:
            return "no-name"
        return "" if is_kept(found, self._shares, row, self.rules.seed) else "balance"

    def _scored(self, table: pa.Table, start: int) -> list[str]:
        """Return the rule that drops each row, balancing apart."""
        dropped = self._counted(table, start)
        if self._least is None:
            return dropped
        enough = table["score"].to_numpy() >= self._least
        return [rule or ("" if fits else "score") for rule, fits in zip(dropped, enough, strict=True)]

    def _counted(self, table: pa.Table, start: int) -> list[str]:
        """Return the rule that drops each row, scores and balancing apart."""
        dropped = [rule or "" for rule in table["dropped_by"].to_pylist()]
        if self._flags is None:
            return dropped
        flags = self._flags[start : start + len(table)]
        for n in np.flatnonzero(flags):
            if not dropped[n]:
                dropped[n] = next(rule for rule, bit in _BITS.items() if flags[n] & bit)
        return dropped

    def _scores(self) -> Iterable[Scores]:
        """Yield the scores of the pairs that are left before scores count."""
        start = 0
        for table in self.parts.batches(_READ):
            left = np.array([not rule for rule in self._counted(table, start)], bool)
            yield table["score"].to_numpy().astype(np.float32)[left]
            start += len(table)

    def _balance(self) -> NDArray[np.float64]:
        """Return the share of each name's texts that stays."""
        if self._matcher is None:
            return np.empty(0)
        counts, start = np.zeros(len(self._matcher.names), np.int64), 0
        for table in self.parts.batches(_READ):
            rules, texts = self._scored(table, start), table["text"].to_pylist()
            kept = [text for rule, text in zip(rules, texts, strict=True) if not rule]
            found = np.fromiter(chain.from_iterable(self._matcher.find(kept)), np.int64)
            counts += np.bincount(found, minlength=len(counts))
            start += len(table)
        return keep_shares(counts, self.rules.per_name)

    def _flagged(self) -> NDArray[np.uint8] | None:
        """Return for each row the bits of the rules that drop it for how often something occurs; on disk."""
        rules = self.rules
        limits = {"picture-texts": rules.max_picture_texts, "text-pictures": rules.max_text_pictures}
        wanted = {rule: limit for rule, limit in limits.items() if limit is not None}
        total, ngrams = self._size()
        rare = rules.common_words is not None and ngrams > rules.common_words
        if not total or not (wanted or rare):
            return None
        flags = np.memmap(self.folder / "flags", np.uint8, "w+", shape=(total,))
        for rule, limit in wanted.items():
            counter = KeyCounter(self.folder, rule)
            for rows, texts, content in self._readable():
                hashed = np.array([_hash(text) for text in texts], np.uint64)
                counter.add(*((content, hashed) if rule == "picture-texts" else (hashed, content)), rows)
            for numbers, counts in counter.counts():
                flags[numbers[counts > limit]] |= np.uint8(_BITS[rule])
            counter.close()
        if rare and rules.common_words is not None:
            self._flag_rare(flags, rules.common_words)
        return flags

    def _flag_rare(self, flags: NDArray[np.uint8], common: int) -> None:
        counter = KeyCounter(self.folder, "rare-words")
        for rows, texts, _ in self._readable():
            found = [{_hash(part) for part in unigrams_and_bigrams(text)} for text in texts]
            keys = np.fromiter(chain.from_iterable(found), np.uint64)
            owners = np.repeat(rows, [len(one) for one in found])
            counter.add(keys, owners.astype(np.uint64), owners)
        reached = np.cumsum(counter.frequencies()[::-1])[::-1]  # [c]: how many occur in c texts or more
        least = int(np.flatnonzero(reached >= common).max(initial=1))
        for numbers, counts in counter.counts():
            flags[numbers[counts < least]] |= np.uint8(_BITS["rare-words"])
        counter.close()

    def _size(self) -> tuple[int, int]:
        """Return the number of rows, and of words and pairs of words in them."""
        total = ngrams = 0
        for table in self.parts.batches(["text"]):
            total += len(table)
            if self.rules.common_words is not None:
                ngrams += sum(max(0, 2 * text.count(" ") + 1) for text in table["text"].to_pylist() if text)
        return total, ngrams

    def _readable(self) -> Iterator[tuple[NDArray[np.int64], list[str], NDArray[np.uint64]]]:
        """Yield row numbers, texts and contents of the pairs whose picture could be read."""
        start = 0
        for table in self.parts.batches(_READ):
            there = np.flatnonzero(table["content"].is_valid().to_numpy())
            part = table.take(there)
            content = part["content"].to_numpy().astype(np.int64).view(np.uint64)
            yield start + there, part["text"].to_pylist(), content
            start += len(table)


def unigrams_and_bigrams(text: str) -> Iterator[str]:
    """Yield the words of a text in small letters, and every two in a row."""
    words = text.lower().split()
    yield from words
    yield from (" ".join(two) for two in pairwise(words))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
