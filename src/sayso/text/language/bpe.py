"""Byte-pair encoding of captions as CLIP reads them: the published vocabulary, or one learned from a corpus.

A text in lower case is split into words, numbers and signs; a word is spelled in bytes, the last one
marked as the word's end, and the pairs that were most frequent when the vocabulary was made are merged. A
start and an end token stand around it. No text is unknown, since every byte is a token.

The files in transformers' form say all of it, so that ``AutoTokenizer`` gives the same ids.

Sources
    [1] Sennrich et al. 2016. https://arxiv.org/abs/1508.07909
    [2] Radford et al. 2021, CLIP, section 2.4. https://arxiv.org/abs/2103.00020
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.errors import SaysoError, Unavailable
from sayso.core.io import make_folder, write_atomic
from sayso.core.lazy import need

if TYPE_CHECKING:
    from tokenizers import Tokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
CLIP_FILE = "bpe_simple_vocab_16e6.txt.gz"
CLIP_SHA256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"
CLIP_MERGES = 48_894  # lines of the file that count; 2 * 256 bytes, these, start and end are 49,408 tokens
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
_PACKAGES = ("open_clip", "clip")  # what ships the file
_WORD_END = "</w>"
_PIECES = (  # special tokens, English endings, words, single digits, signs
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"
)


class TextTokenizer:
    """Texts to token ids for a text tower; safe to call from several threads.

    Args:
        tokenizer: of the tokenizers library, without padding or truncation.
        context: most tokens of a text, start and end among them.
        pad: the token that fills up.
        fixed: whether every text is filled up to ``context``, as SigLIP's are; or to the longest.
    """

    def __init__(self, tokenizer: Tokenizer, context: int, pad: int, *, fixed: bool = False) -> None:
        self.tokenizer, self.context, self.pad, self.fixed = tokenizer, context, pad, fixed

    def __call__(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return ids (B, L) of B texts, and which of them were cut (B,); a cut text keeps its end token."""
        found = [one.ids for one in self.tokenizer.encode_batch(list(texts))]
        cut = np.array([len(ids) > self.context for ids in found], bool)
        short = [[*ids[: self.context - 1], ids[-1]] if c else ids for ids, c in zip(found, cut, strict=True)]
        length = self.context if self.fixed else max(map(len, short), default=0)
        rows = [[*ids, *[self.pad] * (length - len(ids))] for ids in short]
        return np.array(rows, np.int64).reshape(len(texts), length), cut


def clip_bpe(file: Path | None = None) -> Tokenizer:
    """Return CLIP's published tokenizer of 49,408 tokens.

    Args:
        file: ``bpe_simple_vocab_16e6.txt.gz``; taken from an installed package that ships it, which is
            not imported, unless given.

    Raises:
        Unavailable: if it is not there.
        SaysoError: if it is another file.
    """
    path = file or _packaged()
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise SaysoError(
            f"the vocabulary {path} cannot be read: {error.strerror or error}; name {CLIP_FILE}"
        ) from error
    digest = hashlib.sha256(packed).hexdigest()
    if digest != CLIP_SHA256:
        raise SaysoError(
            f"{path} is not CLIP's vocabulary (SHA-256 {digest[:12]}..., expected {CLIP_SHA256[:12]}...);"
            f" fetch {CLIP_FILE} again"
        )
    lines = gzip.decompress(packed).decode("utf-8").split("\n")[1 : CLIP_MERGES + 1]
    merges = [(first, second) for first, second in (line.split() for line in lines)]
    bytes_ = _byte_letters()
    tokens = [*bytes_, *(b + _WORD_END for b in bytes_), *(a + b for a, b in merges), START, END]
    return _tokenizer({token: n for n, token in enumerate(tokens)}, merges)


def learned_bpe(texts: Iterable[str], size: int) -> Tokenizer:
    """Return a tokenizer whose merges are the most frequent ones of some texts.

    Args:
        texts: of a corpus; gone through once.
        size: tokens in the vocabulary, at most: 2 for each byte, the two ends, and a token a merge.

    Raises:
        MissingExtra: if the tokenizers library is not installed.
        SaysoError: if the size is too small.
    """
    if size < 514:
        raise SaysoError(f"a vocabulary has 514 tokens or more, 2 for each byte and two ends; got {size}")
    trainers = need("tokenizers", "hub").trainers
    bytes_ = _byte_letters()
    learning = _tokenizer({}, [])
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=bytes_,
        end_of_word_suffix=_WORD_END,
        show_progress=False,
        min_frequency=2,
    )
    learning.train_from_iterator(texts, trainer)
    model = json.loads(learning.to_str())["model"]
    merges = [(a, b) for a, b in (m if isinstance(m, list) else m.split(" ") for m in model["merges"])]
    merges = merges[: size - 514]
    made = dict.fromkeys([*bytes_, *(b + _WORD_END for b in bytes_), *(a + b for a, b in merges)])
    return _tokenizer({token: n for n, token in enumerate([*made, START, END])}, merges)


def save_tokenizer(tokenizer: Tokenizer, folder: Path, context: int) -> None:
    """Write a tokenizer in transformers' form into a folder.

    Args:
        tokenizer: that ``clip_bpe`` or ``learned_bpe`` made.
        folder: made if it is missing.
        context: most tokens of a text.

    Raises:
        SaysoError: if it cannot be written.
    """
    said: dict[str, Any] = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": context,
        "bos_token": START,
        "eos_token": END,
        "pad_token": END,
        "unk_token": END,
        "do_lower_case": True,
    }
    texts = (tokenizer.to_str(), json.dumps(said, indent=1))
    make_folder(folder)
    for name, text in zip(TOKENIZER_FILES, texts, strict=True):
        write_atomic(folder / name, text + "\n", guarded=False)


def load_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer that ``save_tokenizer`` wrote.

    Raises:
        SaysoError: if it cannot be read.
    """
    tokenizers = need("tokenizers", "hub")
    path = folder / TOKENIZER_FILES[0]
    try:
        made: Tokenizer = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise SaysoError(f"the tokenizer {path} cannot be read: {error}; remove it") from error
    return made


def _packaged() -> Path:
    for package in _PACKAGES:
        spec = find_spec(package)
        path = Path(spec.origin).parent / CLIP_FILE if spec is not None and spec.origin else None
        if path is not None and path.is_file():
            return path
    raise Unavailable(
        f"CLIP's vocabulary {CLIP_FILE} is not on this machine; pip install --no-deps open_clip_torch,"
        " give its path (vocabulary=FILE), or learn one (tokenizer=learned)"
    )


def _byte_letters() -> list[str]:
    """Return the letter that stands for each byte in a vocabulary, printable bytes first, as in [2]."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [*map(chr, printable), *(chr(256 + n) for n in range(len(others)))]


def _tokenizer(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> Tokenizer:
    """Return a tokenizer; with an empty vocabulary, one to learn with."""
    t = need("tokenizers", "hub")
    unknown = {"unk_token": END} if vocabulary else {}
    made: Tokenizer = t.Tokenizer(
        t.models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix=_WORD_END, **unknown)
    )
    clean = [t.normalizers.NFC(), t.normalizers.Replace(t.Regex(r"\s+"), " "), t.normalizers.Lowercase()]
    made.normalizer = t.normalizers.Sequence(clean)
    pieces = t.pre_tokenizers.Split(t.Regex(_PIECES), behavior="removed", invert=True)
    made.pre_tokenizer = t.pre_tokenizers.Sequence(
        [pieces, t.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    made.decoder = t.decoders.ByteLevel()
    if vocabulary:
        made.add_special_tokens(
            [t.AddedToken(token, normalized=False, special=True) for token in (START, END)]
        )
        ends = (END, vocabulary[END]), (START, vocabulary[START])
        made.post_processor = t.processors.RobertaProcessing(
            *ends, trim_offsets=False, add_prefix_space=False
        )
    return made
