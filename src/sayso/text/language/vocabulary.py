"""The words that captions are made of, and vectors for them from published files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError

WORD = re.compile(r"[\w']+")  # as MIL-NCE's public code splits captions
MOST_WORDS = 66_250  # as many as the published model knows


def words_in(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return WORD.findall(text.lower())


def vocabulary(texts: Iterable[str], *, least: int = 1, most: int = MOST_WORDS) -> list[str]:
    """Return the words that occur at least ``least`` times, the most frequent first, at most ``most``.

    Words that are as frequent as one another stand in the order of the alphabet.

    Args:
        texts: captions.
        least: occurrences.
        most: words.
    """
    counts = Counter(word for text in texts for word in words_in(text))
    ranked = sorted((-count, word) for word, count in counts.items() if count >= least)
    return [word for _, word in ranked[:most]]


def read_vectors(path: Path, wanted: Collection[str]) -> dict[str, NDArray[np.float32]]:
    """Return the vectors that a file has for some words, each (D,).

    Args:
        path: word2vec's binary (``.bin``) or text format, or GloVe's (``.txt``, ``.vec``).
        wanted: other words are passed over. Case decides.

    Raises:
        SaysoError: if the file is missing or something else, naming the line or word where it goes wrong.
    """
    wanted = frozenset(wanted)
    try:
        with path.open("rb") as file:
            return _read_binary(file, wanted) if path.suffix == ".bin" else _read_text(file, wanted)
    except (OSError, ValueError) as error:
        raise SaysoError(f"the word vectors {path} cannot be read: {error}") from error


def _read_text(file: BinaryIO, wanted: frozenset[str]) -> dict[str, NDArray[np.float32]]:
    found: dict[str, NDArray[np.float32]] = {}
    dim = 0
    for number, line in enumerate(file, 1):
        word, *numbers = line.decode("utf-8", "replace").rstrip().split(" ")
        if number == 1 and len(numbers) == 1:
            continue  # word2vec's head: how many, how long
        dim = dim or len(numbers)
        if len(numbers) != dim or dim == 0:
            raise ValueError(f"line {number} has {len(numbers)} numbers, the first has {dim}")
        if word in wanted:
            found.setdefault(word, np.array(numbers, np.float32))
    return found


def _read_binary(file: BinaryIO, wanted: frozenset[str]) -> dict[str, NDArray[np.float32]]:
    found: dict[str, NDArray[np.float32]] = {}
    head = file.readline(64).split()
    if len(head) != 2:
        raise ValueError("it does not begin with how many words there are and how long the vectors")
    count, dim = map(int, head)
    for number in range(count):
        word = _until_space(file).decode("utf-8", "replace")
        numbers = file.read(4 * dim)
        if len(numbers) != 4 * dim:
            raise ValueError(f"it ends at word {number + 1} of {count}")
        if word in wanted:
            found.setdefault(word, np.frombuffer(numbers, "<f4").astype(np.float32))
    return found


def _until_space(file: BinaryIO) -> bytes:
    """Read a word up to the space after it, without the line's end that some writers put before."""
    read = bytearray()
    while (byte := file.read(1)) not in (b" ", b""):
        read += byte
        if len(read) > 4096:
            raise ValueError("a word has more than 4096 bytes")
    return bytes(read).lstrip(b"\n")


def word_vectors(source: str, words: list[str], dim: int, seed: int) -> tuple[list[str], NDArray[np.float32]]:
    """Return the words that have vectors, and (1 + V, D) float32: row 0, for padding, is zeros.

    Args:
        source: a file for ``read_vectors``, or ``learned``: random ones to begin with, for all words.
        words: the words wanted.
        dim: D of random vectors.
        seed: of random vectors.

    Raises:
        SaysoError: if the file cannot be read or has none of the words.
    """
    if source == "learned":
        drawn = np.random.default_rng(seed).standard_normal((1 + len(words), dim), np.float32)
        drawn[0] = 0
        return words, drawn
    found = read_vectors(Path(source).expanduser(), words)
    known = [word for word in words if word in found]
    if not known:
        raise SaysoError(f"the word vectors {source} have none of the {len(words)} words of the captions")
    rows = np.stack([found[word] for word in known])
    return known, np.concatenate([np.zeros_like(rows[:1]), rows])
