"""CIDEr against a plain transcription of its definition, its tokens against what CoreNLP gave.

``caption_tokens.json`` holds sentences written for this test and the tokens that CoreNLP 3.4.1
makes of them (with pycocoevalcap's list of dropped punctuation). Where pycocoevalcap and
Java are installed, the slow tests run them.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sayso.metrics import cider
from sayso.metrics.caption_tokens import caption_tokens
from sayso.metrics.captioning import cider_each

WORDS = ["a", "dog", "cat", "runs", "over", "the", "red", "hill", "and", "sleeps"]
COCO = Path(__file__).parents[3] / "shared/data/coco/captions.json"


@pytest.mark.parametrize(
    ("text", "tokens"), json.loads((Path(__file__).parent / "caption_tokens.json").read_text())
)
def test_tokens_are_those_of_corenlp(text, tokens):
    assert caption_tokens(text) == tokens


def ngrams(text, n):
    return list(zip(*(text.split()[i:] for i in range(n)), strict=False))


def defined(candidates, references):
    """CIDEr-D, one n-gram at a time, from the definition."""
    pictures = len(candidates)
    scores = []
    for text, texts in zip(candidates, references, strict=True):
        total = 0.0
        for n in range(1, 5):
            every = {g for other in references for t in other for g in ngrams(t, n)} | set(ngrams(text, n))
            df = {g: sum(any(g in ngrams(t, n) for t in other) for other in references) for g in every}
            idf = {g: math.log(pictures) - math.log(max(1, df[g])) for g in every}
            for reference in texts:
                h = {g: ngrams(text, n).count(g) * idf[g] for g in every}
                r = {g: ngrams(reference, n).count(g) * idf[g] for g in every}
                norm = math.sqrt(sum(v * v for v in h.values())) * math.sqrt(sum(v * v for v in r.values()))
                dot = sum(min(h[g], r[g]) * r[g] for g in every)
                penalty = math.exp(-((len(ngrams(text, 2)) - len(ngrams(reference, 2))) ** 2) / 72)
                total += penalty * (dot / norm if norm else dot) / 4 / len(texts)
        scores.append(10 * total)
    return scores


def sentences(rng, count):
    return [" ".join(rng.choices(WORDS, k=rng.randint(1, 9))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_cider_is_as_defined(seed):
    rng = random.Random(seed)
    candidates = sentences(rng, 6)
    references = [sentences(rng, rng.randint(1, 4)) for _ in candidates]
    references[0][0] = candidates[0]
    np.testing.assert_allclose(
        cider_each(candidates, references), defined(candidates, references), atol=1e-12
    )
    assert cider(candidates, references) == pytest.approx(np.mean(defined(candidates, references)))


def test_only_right_words_count():
    references = [["a dog runs over the hill"], ["the cat sleeps"], ["red and blue"]]
    assert cider(["a dog runs over the hill", "the cat sleeps", "red and blue"], references) > 7
    assert cider(["nothing", "", "..."], references) == 0
    right, repeated = (cider_each([text, "x", "y"], references)[0] for text in ("dog", "dog dog"))
    assert right > repeated


def test_what_has_no_cider_is_said():
    with pytest.raises(ValueError, match="1 captions for the references of 2 pictures"):
        cider(["a"], [["a"], ["b"]])
    with pytest.raises(ValueError, match="without a reference"):
        cider(["a"], [[]])
    with pytest.raises(ValueError, match="without a reference"):
        cider(["a", "b"], [["a"], []])
    with pytest.raises(ValueError, match="0 captions"):
        cider([], [])


def coco() -> tuple[list[str], list[list[str]]]:
    if not COCO.exists():
        pytest.skip("the given COCO captions are not here")
    by_picture: dict[int, list[str]] = {}
    for annotation in json.loads(COCO.read_text())["annotations"]:
        by_picture.setdefault(annotation["image_id"], []).append(annotation["caption"])
    return [texts[0] for texts in by_picture.values()], [texts[1:] for texts in by_picture.values()]


def test_peoples_agreement_on_coco_is_what_the_published_code_prints():
    candidates, references = coco()
    assert 100 * cider(candidates, references) == pytest.approx(98.0521570157925, abs=1e-9)


@pytest.mark.slow
def test_cider_equals_pycocoevalcap():
    Cider = pytest.importorskip("pycocoevalcap.cider.cider").Cider
    candidates, references = coco()
    spaced = [[" ".join(caption_tokens(text)) for text in texts] for texts in references]
    mean, each = Cider().compute_score(
        dict(enumerate(spaced)), {i: [" ".join(caption_tokens(text))] for i, text in enumerate(candidates)}
    )
    np.testing.assert_allclose(cider_each(candidates, references), each, atol=1e-9)
    assert cider(candidates, references) == pytest.approx(mean, abs=1e-9)


@pytest.mark.slow
def test_tokens_equal_the_java_tokeniser_on_coco():
    tokenizer = pytest.importorskip("pycocoevalcap.tokenizer.ptbtokenizer")
    if not shutil.which("java"):
        pytest.skip("Java is not installed")
    candidates, references = coco()
    texts = [*candidates, *(text for given in references for text in given)]
    try:
        made = tokenizer.PTBTokenizer().tokenize({i: [{"caption": text}] for i, text in enumerate(texts)})
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"CoreNLP does not run here: {error}")
    wrong = [text for i, text in enumerate(texts) if made[i] != [" ".join(caption_tokens(text))]]
    assert wrong == []


def test_longer_runs_of_the_same_words_score_higher():
    reference = "a red dog runs over the green hill"
    prefixes = [reference.rsplit(" ", k)[0] for k in (5, 3, 1)]
    others = [["the cat sleeps"], ["red and blue"]]
    scores = [cider_each([text, "x", "y"], [[reference], *others])[0] for text in prefixes]
    assert all(a < b for a, b in pairwise(scores))
