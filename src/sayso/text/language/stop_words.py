"""The words that HowTo100M's captions leave out.

scikit-learn ships the list of stop words of the Glasgow information retrieval group; the authors' is that
list without words that may be seen ("thick", "under") and with those that people say to a camera.

Source
    Miech et al., ICCV 2019. Its public code (stop_words.py): https://github.com/antoine77340/howto100m
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sayso.core.lazy import need
from sayso.text.language.vocabulary import words_in

_SEEN = frozenset("fill front full get go into move system thick thin under".split())  # noqa: SIM905
_SAID = frozenset(
    """
    actually better bit can't did different does doesn't don't easy going gonna great guys hey hope i'll i'm
    i've it'll it's just kind know let let's like look looks maybe need oh ok okay probably really right say
    sure thank thanks that's there's they're today try um video view viewer viewing want we'll we're we've
    welcome won't wont yeah you'll you're you've youtube
    """.split()  # noqa: SIM905
)


@cache
def howto100m_stop_words() -> frozenset[str]:
    """Return the 370 words.

    Raises:
        MissingExtra: if scikit-learn is not installed.
    """
    lists: Any = need("sklearn.feature_extraction.text", "evaluate")
    return frozenset(lists.ENGLISH_STOP_WORDS) - _SEEN | _SAID


def without_stop_words(text: str) -> str:
    """Return a caption as HowTo100M has it: in lower case, its other words alone.

    Raises:
        MissingExtra: if scikit-learn is not installed.
    """
    dropped = howto100m_stop_words()
    return " ".join(word for word in words_in(text) if word not in dropped)
