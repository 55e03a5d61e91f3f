"""HowTo100M's captions without their stop words."""

from __future__ import annotations

import hashlib

from sayso.text.language.stop_words import howto100m_stop_words, without_stop_words


def test_the_list_is_the_public_one():
    """The digest is of the public list, sorted and joined by blanks."""
    words = howto100m_stop_words()
    digest = hashlib.sha256(" ".join(sorted(words)).encode()).hexdigest()
    assert len(words) == 370
    assert digest == "889d302651e7e5ef47c1170153a7ea743637141d4e9f30fc69343a495416d260"


def test_a_caption_keeps_what_may_be_seen():
    said = "Okay guys, today I'm going to PUT the thick steak under the grill!"
    assert without_stop_words(said) == "thick steak under grill"
    assert without_stop_words("So, what do you think?") == "think"
    assert without_stop_words("") == ""
