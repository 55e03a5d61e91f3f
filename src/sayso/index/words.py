"""How relevant words are: how much of what was asked for is said in a clip, or was seen by a model.

BM25 finds the clips; but its scale is another one for every query and index. So each clip is asked which of
the query's words it holds, each word weighing what BM25 gives it, the inverse document frequency:

    idf(w) = ln(1 + (N - n_w + 1/2) / (n_w + 1/2)),    N clips, n_w of which hold w
    coverage = sum of idf over the words that are there / sum of idf over the query's words
    relevance = coverage ** SHARPNESS

so that a few common words of a long query in someone's chatter are next to nothing, and all of them are all.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace

from sayso.index.search import Candidate, search_words
from sayso.index.sql import sql_in
from sayso.index.store import Store

SHARPNESS = 4
"""Half of what was asked for is worth 1/16."""

COUNTED = 1000
"""Clips with a word that are counted at most; a word that so many hold is common."""

_FUNCTION_WORDS = """
a about above after again against all am an and any are aren as at be because been before being
below between both but by can cannot could couldn d did didn do does doesn doing don down during
each few for from further had hadn has hasn have haven having he her here hers herself him himself
his how i if in into is isn it its itself just let ll m me mightn more most mustn my myself needn no
nor not now o of off on once only or other ought our ours ourselves out over own re s same shan she
should shouldn so some such t than that the their theirs them themselves then there these they this
those through to too under until up ve very was wasn we were weren what when where which while who
whom why will with won would wouldn y you your yours yourself yourselves
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Words that ask for nothing, among them all that the full-text index leaves out."""


def search_text(store: Store, words: str, limit: int, sql: str | None, live: str | None) -> list[Candidate]:
    """Return the clips in which words are said, or a model saw them, with their relevance; in no order.

    Args:
        store: the index.
        words: what to look for.
        limit: how many of each, the best by BM25.
        sql: a filter that they pass, if any.
        live: another, of those that count (``live.filter_out``).
    """
    asked = content_words(words)
    found: dict[str, Candidate] = {}
    for column in store.text_columns if asked else ():
        clips = search_words(store, " ".join(asked), column, limit, sql, live)
        coverage = _coverage(store, asked, column, [clip.id for clip in clips], live)
        for clip in clips:
            known = found.get(clip.id, clip)
            best = max(known.bm25 or 0.0, clip.bm25 or 0.0)
            relevance = coverage[clip.id] ** SHARPNESS
            if column == "seen":
                found[clip.id] = replace(known, bm25=best, described=relevance)
            else:
                found[clip.id] = replace(known, bm25=best, spoken=relevance)
    return list(found.values())


def content_words(words: str) -> list[str]:
    """Return the words of a query that ask for something; all of them if none does."""
    tokens = list(dict.fromkeys(re.findall(r"\w+", words.lower())))
    return [
        word for word in tokens if word not in FUNCTION_WORDS and (len(word) > 1 or word.isdigit())
    ] or tokens


def _coverage(
    store: Store, words: list[str], column: str, ids: list[str], live: str | None
) -> dict[str, float]:
    """Return for each clip the share of the words that it holds, weighed by their rarity."""
    total = store.clips.count_rows()
    held, asked = dict.fromkeys(ids, 0.0), 0.0
    for word in words:
        having = {clip.id for clip in search_words(store, word, column, COUNTED, None, live, vectors=False)}
        rarity = math.log(1 + max(0.0, total - len(having) + 0.5) / (len(having) + 0.5))
        asked += rarity
        if len(having) == COUNTED and ids:
            sql = sql_in("id", ids)
            having = {
                clip.id for clip in search_words(store, word, column, len(ids), sql, live, vectors=False)
            }
        for id_ in having & held.keys():
            held[id_] += rarity
    return {id_: min(1.0, share / asked) for id_, share in held.items()}
