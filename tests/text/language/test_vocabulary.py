"""Words are counted as a plain loop counts them; vectors are those of the file."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.core.errors import SaysoError
from sayso.text.language.vocabulary import read_vectors, vocabulary, word_vectors, words_in


def test_words_are_runs_of_letters_digits_and_apostrophes():
    assert words_in("Don't STOP: 2 eggs, crème-fraîche!") == [
        "don't",
        "stop",
        "2",
        "eggs",
        "crème",
        "fraîche",
    ]
    assert words_in(" ... ") == []


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c", "dd", "e"]), max_size=6)), st.integers(1, 3))
def test_the_most_frequent_first(lines, least):
    texts = [" ".join(line).upper() for line in lines]
    flat = [word for line in lines for word in line]
    expected = sorted({w for w in flat if flat.count(w) >= least}, key=lambda w: (-flat.count(w), w))
    assert vocabulary(texts, least=least) == expected
    assert vocabulary(texts, least=least, most=2) == expected[:2]


VECTORS = {"knife": [1.0, 2.5, -3.0], "Wood": [0.0, 1e-3, 7.0], "glue": [9.0, 8.0, 7.0]}


def lines():
    return [f"{word} {' '.join(map(str, numbers))}" for word, numbers in VECTORS.items()]


@pytest.mark.parametrize("between", [b"", b"\n"])
@pytest.mark.parametrize("name", ["glove.txt", "word2vec.vec", "word2vec.bin"])
def test_reads_the_published_formats(tmp_path, name, between):
    path = tmp_path / name
    if name.endswith("bin"):
        packed = [word.encode() + b" " + struct.pack("<3f", *numbers) for word, numbers in VECTORS.items()]
        path.write_bytes(b"3 3\n" + between.join(packed))
    else:
        path.write_text("\n".join(["3 3"] * name.startswith("word2vec") + lines()) + "\n")
    found = read_vectors(path, ["glue", "knife", "wood", "Wood"])
    assert set(found) == {"glue", "knife", "Wood"}
    for word, vector in found.items():
        assert vector.dtype == np.float32
        np.testing.assert_allclose(vector, VECTORS[word], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.txt", b"knife 1 2 3\nwood 1 2\n", "line 2 has 2 numbers, the first has 3"),
        ("b.txt", b"knife 1 x 3\n", "could not convert string to float"),
        ("c.bin", b"2 3\nknife " + bytes(12) + b"wood " + bytes(3), "it ends at word 2 of 2"),
        ("d.bin", b"knife 1 2 3\n", "does not begin with how many words"),
        ("e.bin", b"9 3\n" + b"k" * 5000, "more than 4096 bytes"),
    ],
)
def test_says_where_a_file_goes_wrong(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SaysoError, match=f"{name} cannot be read: .*{sentence}"):
        read_vectors(tmp_path / name, ["knife", "wood"])
    with pytest.raises(SaysoError, match=r"none\.txt cannot be read"):
        read_vectors(tmp_path / "none.txt", ["knife"])


def test_vectors_of_the_words_that_have_some(tmp_path):
    (tmp_path / "v.txt").write_text("\n".join(lines()))
    known, rows = word_vectors(str(tmp_path / "v.txt"), ["glue", "saw", "knife"], 300, 0)
    assert known == ["glue", "knife"]
    np.testing.assert_allclose(rows, [[0, 0, 0], VECTORS["glue"], VECTORS["knife"]])
    with pytest.raises(SaysoError, match="have none of the 1 words"):
        word_vectors(str(tmp_path / "v.txt"), ["saw"], 300, 0)
    words, drawn = word_vectors("learned", ["saw", "glue"], 4, 1)
    assert (words, drawn.shape, drawn.dtype) == (["saw", "glue"], (3, 4), np.float32)
    assert not drawn[0].any()
    assert drawn[1:].all()
