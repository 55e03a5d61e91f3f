"""MetaCLIP's balancing by a list of names: texts that hold a name stay, those of frequent names in part.

With n_e texts that hold name e, p_e = min(1, t / n_e): a text stays if for any name that it holds a draw is
below p_e. A text that holds none is out. A text holds a name if " name " is a part of it once spaces stand
around punctuation (comma, full stop, semicolon, colon, question and exclamation mark, backtick), in place of
tabs and line ends, and at both ends; capitals count.

Source
    Xu et al., ICLR 2024, Demystifying CLIP Data, https://arxiv.org/abs/2309.16671; ``substr_matching.py`` and
    ``balancing.py`` in https://github.com/facebookresearch/MetaCLIP
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise, repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError

_MARKS, _GAPS = ",.;:?!`", "\t\r"
_TEXT_END = "\n"  # between texts; in none, as it is a gap, too
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio


class NameMatcher:
    """Finds the names of a list in texts, in time that does not grow with the list.

    The names are a tree of words. A step from node n by word w is the number n * base + w; all positions of
    all texts take it at once, and a table of bits turns most of them away before they are looked up.

    Args:
        names: the list; a name counts once.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(dict.fromkeys(name for name in names if name))
        known = [number for number, name in enumerate(self.names) if not set(name) & {*_GAPS, _TEXT_END}]
        split = [self.names[number].split(" ") for number in known]
        self._words = {word: n for n, word in enumerate(dict.fromkeys(chain.from_iterable(split)), 1)}
        self._base = len(self._words) + 2
        self._words[_TEXT_END] = self._base - 1
        numbers = np.array(known, np.int64)
        lengths = np.array([len(words) for words in split], np.int64)
        flat = np.fromiter(map(self._words.__getitem__, chain.from_iterable(split)), np.int64)
        self._build(numbers, lengths, flat)

    def _build(self, numbers: NDArray[np.int64], lengths: NDArray[np.int64], flat: NDArray[np.int64]) -> None:
        """Make the tree: its first nodes are the words, by their numbers, and node 0 is none."""
        count, steps, ends = self._base, [np.empty(0, np.int64)], []
        first = np.cumsum(lengths) - lengths
        nodes = flat[first]
        for depth in range(1, 1 + int(lengths.max(initial=0))):
            done = lengths == depth
            ends.append((nodes[done], numbers[done]))
            numbers, lengths, first, nodes = (x[~done] for x in (numbers, lengths, first, nodes))
            taken, which = np.unique(nodes * self._base + flat[first + depth], return_inverse=True)
            nodes = count + which
            steps.append(taken)
            count += len(taken)
        keys = np.concatenate(steps)
        order = np.argsort(keys)
        self._steps, self._reached = keys[order], self._base + order
        self._name_at = np.full(count, -1, np.int64)
        for at, which in ends:
            self._name_at[at] = which
        self._shift = np.uint64(64 - max(10, (16 * len(keys)).bit_length()))
        self._likely = np.zeros(1 << (64 - int(self._shift)), bool)
        self._likely[self._hashed(self._steps)] = True

    def find(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the numbers of the names that each text holds, each once, in order."""
        joined = _TEXT_END.join(text.replace(_TEXT_END, " ") for text in texts)
        for gap in _GAPS:
            joined = joined.replace(gap, " ")
        for mark in (*_MARKS, _TEXT_END):
            joined = joined.replace(mark, f" {mark} ")
        words = joined.split(" ")
        ids = np.fromiter(map(self._words.get, words, repeat(0)), np.int64, len(words))
        at, nodes = np.flatnonzero(ids), ids[ids > 0]
        row = np.cumsum(ids == self._base - 1)
        ids = np.append(ids, 0)
        found = [np.empty(0, np.int64)]
        while len(at):
            name = self._name_at[nodes]
            held = name >= 0
            found.append(row[at[held]] * len(self.names) + name[held])
            at, nodes = self._step(at + 1, nodes * self._base + ids[at + 1])
        rows, numbers = np.divmod(np.unique(np.concatenate(found)), max(1, len(self.names)))
        bounds = np.searchsorted(rows, np.arange(len(texts) + 1)).tolist()
        listed = numbers.tolist()
        return [listed[start:stop] for start, stop in pairwise(bounds)]

    def _step(self, at: NDArray[np.int64], keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """Return which steps are in the tree, (n,) positions, and the nodes they lead to."""
        likely = self._likely[self._hashed(keys)]
        at, keys = at[likely], keys[likely]
        if not len(keys):
            return at, keys
        place = np.minimum(np.searchsorted(self._steps, keys), len(self._steps) - 1)
        known = self._steps[place] == keys
        return at[known], self._reached[place[known]]

    def _hashed(self, keys: NDArray[np.int64]) -> NDArray[np.uint64]:
        hashed: NDArray[np.uint64] = (keys.view(np.uint64) * _MIX) >> self._shift
        return hashed


def read_names(path: Path) -> list[str]:
    """Return the names in a file: one a line, or a JSON list as MetaCLIP's metadata is.

    Raises:
        SaysoError: if it cannot be read or holds none.
    """
    import json

    try:
        text = path.read_text(encoding="utf-8-sig")
        names = json.loads(text) if path.suffix.lower() == ".json" else text.splitlines()
    except (OSError, ValueError) as error:
        raise SaysoError(f"the names in {path} cannot be read: {error}") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SaysoError(f"{path} is no list of names; write one a line")
    names = [name.strip() for name in names if name.strip()]
    if not names:
        raise SaysoError(f"{path} holds no names; write one a line")
    return names


def keep_shares(counts: NDArray[np.int64], per_name: int) -> NDArray[np.float64]:
    """Return p_e for each name.

    Args:
        counts: (E,) texts that hold each.
        per_name: t.
    """
    return np.minimum(1.0, per_name / np.maximum(counts, 1))


def is_kept(found: Sequence[int], shares: NDArray[np.float64], row: int, seed: int) -> bool:
    """Tell whether a text stays; the same for the same row and seed, in whatever order.

    Args:
        found: the names that it holds.
        shares: (E,) p_e.
        row: its number.
        seed: of all draws.
    """
    return any(_draw(seed, row, name) < shares[name] for name in found)


def _draw(seed: int, row: int, name: int) -> float:
    """Return a uniform number from 0 to below 1."""
    digest = hashlib.blake2b(struct.pack("<qqq", seed, row, name), digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 11) / float(1 << 53)
