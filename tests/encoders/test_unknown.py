"""What a model surely does not know: words outside its list, letters it never saw."""

from __future__ import annotations

from types import SimpleNamespace

from sayso.encoders import unknown_words
from sayso.models import WordTokenizer


def test_a_model_with_a_list_of_words_does_not_know_the_others():
    model = SimpleNamespace(name="mil", tokenizer=WordTokenizer(["cut", "onion"], lower=True))
    assert unknown_words(model, "Cut the ONION 3 zwiebel") == ["the", "zwiebel"]


def test_the_offline_model_knows_latin_letters_and_of_hub_models_nothing_is_said():
    query = "собака on a plage, 犬 café 2"
    assert unknown_words(SimpleNamespace(name="offline"), query) == ["собака", "犬"]
    assert unknown_words(SimpleNamespace(name="google/siglip2", tokenizer=object()), query) == []
