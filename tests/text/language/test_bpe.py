"""Byte-pair encoding: ids as transformers' own tokenizer gives them, and merges learned from texts."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sayso.core.errors import SaysoError, Unavailable
from sayso.text.language import bpe

pytest.importorskip("tokenizers")
TEXTS = [
    "a photo of a Red cup",
    "IT'S  12:30 o'clock,\nisn't it? we've 1,024 cups!!!",
    "Ünïcode naïve café 日本語 🎉🎉 <|endoftext|> ﬁn",
    "",
    " ".join(map(str, range(100))),
    "a_b-c@d.e #hashtag \u200b half\u00a0space",
]
has_clip = pytest.mark.skipif(find_spec("open_clip") is None, reason="open_clip_torch brings the vocabulary")


def plain_bpe(text: str, merges: list[tuple[str, str]]) -> list[str]:
    """Merge the pairs of one lower-case ASCII word, the earliest merge first."""
    ranks = {pair: n for n, pair in enumerate(merges)}
    parts = [*text[:-1], text[-1] + "</w>"]
    while known := [(ranks[pair], n) for n, pair in enumerate(pairwise(parts)) if pair in ranks]:
        n = min(known)[1]
        parts[n : n + 2] = [parts[n] + parts[n + 1]]
    return parts


@has_clip
def test_published_ids_are_those_of_transformers(tmp_path):
    transformers = pytest.importorskip("transformers")
    made = bpe.clip_bpe()
    bpe.save_tokenizer(made, tmp_path, 77)
    packed = (Path(find_spec("open_clip").origin).parent / bpe.CLIP_FILE).read_bytes()
    merges = [tuple(line.split()) for line in gzip.decompress(packed).decode().split("\n")[1:48_895]]
    own = transformers.CLIPTokenizer(vocab=made.get_vocab(), merges=merges)
    loaded = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert made.get_vocab_size() == 49_408
    assert made.encode("").ids == [49_406, 49_407]
    for text in TEXTS:
        assert made.encode(text).ids == own(text).input_ids == loaded(text).input_ids, text
    ids, cut = bpe.TextTokenizer(made, 77, 49_407)(TEXTS)
    reference = loaded(TEXTS, padding=True, truncation=True, max_length=77)["input_ids"]
    np.testing.assert_array_equal(ids, reference)
    assert cut.tolist() == [len(loaded(text).input_ids) > 77 for text in TEXTS] and cut.sum() == 1
    known = {number: token for token, number in made.get_vocab().items()}
    words = ["photograph", "thermoplastics", "zyzzyva"]
    for word in words:
        assert [known[n] for n in made.encode(word).ids[1:-1]] == plain_bpe(word, merges)


@has_clip
def test_another_file_is_refused(tmp_path):
    packed = gzip.compress(b"#version\na b\n")
    (tmp_path / bpe.CLIP_FILE).write_bytes(packed)
    with pytest.raises(SaysoError, match="is not CLIP's vocabulary"):
        bpe.clip_bpe(tmp_path / bpe.CLIP_FILE)
    with pytest.raises(SaysoError, match="cannot be read"):
        bpe.clip_bpe(tmp_path / "none.gz")


def test_without_the_package_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(bpe, "find_spec", lambda _: None)
    with pytest.raises(Unavailable, match="tokenizer=learned"):
        bpe.clip_bpe()


def test_learned_merges_are_the_most_frequent(tmp_path):
    texts = ["the red cup"] * 30 + ["a red star"] * 20 + ["Red cups, rare"] * 3
    made = bpe.learned_bpe(iter(texts), 600)
    assert made.encode("a RED star").tokens == [bpe.START, "a</w>", "red</w>", "star</w>", bpe.END]
    small = bpe.learned_bpe(iter(texts), 515)
    assert small.get_vocab_size() == 515 and small.encode("red").tokens[1:-1] == ["r", "ed</w>"]
    for text in TEXTS:
        assert bpe.END not in made.encode(text.replace(bpe.END, "")).tokens[1:-1]
    bpe.save_tokenizer(made, tmp_path, 16)
    assert bpe.load_tokenizer(tmp_path).encode("the red cups").ids == made.encode("the red cups").ids
    transformers = pytest.importorskip("transformers")
    loaded = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for text in TEXTS:
        assert loaded(text).input_ids == made.encode(text).ids
    with pytest.raises(SaysoError, match="514"):
        bpe.learned_bpe(texts, 100)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(SaysoError, match="cannot be read"):
        bpe.load_tokenizer(tmp_path)


def test_texts_are_padded_to_the_longest_or_to_the_context():
    made = bpe.learned_bpe(["a b c d"] * 3, 520)
    end = made.token_to_id(bpe.END)
    ids, cut = bpe.TextTokenizer(made, 5, end)(["a", "a b c", "a b c d d"])
    assert ids.shape == (3, 5) and cut.tolist() == [False, False, True]
    assert ids[0, 2:].tolist() == [end] * 3 and ids[2, -1] == end and ids[1, -1] == end
    assert bpe.TextTokenizer(made, 9, end, fixed=True)(["a"])[0].shape == (1, 9)
    assert bpe.TextTokenizer(made, 9, end)([])[0].shape == (0, 0)
