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
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError

_SPACED = str.maketrans({mark: f" {mark} " for mark in ",.;:?!`"} | dict.fromkeys("\t\n\r", " "))
_END = ""  # no word: at a node of the tree, the number of the name that ends there


class NameMatcher:
    """Finds the names of a list in texts, in time that does not grow with the list.

    Args:
        names: the list; a name counts once.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(dict.fromkeys(name for name in names if name))
        self._tree: dict[str, Any] = {}
        for number, name in enumerate(self.names):
            node = self._tree
            for word in name.split(" "):
                node = node.setdefault(f"={word}", {})
            node[_END] = number

    def find(self, text: str) -> list[int]:
        """Return the numbers of the names that a text holds, each once, in order."""
        words = [f"={word}" for word in f" {text} ".translate(_SPACED).split(" ")[1:-1]]
        found = set()
        for start in range(len(words)):
            node = self._tree
            for word in words[start:]:
                if word not in node:
                    break
                node = node[word]
                if _END in node:
                    found.add(node[_END])
        return sorted(found)


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
