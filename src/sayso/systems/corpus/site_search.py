"""A site with a search address as a source: JSON, a page of results at a time.

``https://videos.example/search?q={query}`` answers ``{"results": [{"id", "url", "title", "duration_s",
"views", "languages"}, ...], "next": "https://... or nothing"}``; addresses may be relative.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urljoin

from sayso.core.errors import SaysoError
from sayso.systems.corpus.source import Found, safe_id, said_count, said_number, said_text
from sayso.systems.corpus.web import GoneForGood, Web, WebAnswer

QUERY = "{query}"


class SiteSearch:
    """A site that is searched over HTTP.

    Args:
        address: of its search, with ``{query}`` where the query goes.
        web: what asks.

    Raises:
        SaysoError: if the address has no place for the query.
    """

    def __init__(self, address: str, web: Web) -> None:
        if QUERY not in address:
            raise SaysoError(f"{address} has no {QUERY}; write it where the words of a search go")
        self.address, self._web = address, web

    def search(self, query: str, limit: int) -> Iterator[Found]:
        """Yield the results of a query, page after page."""
        url, given = self.address.replace(QUERY, quote(query, safe="")), 0
        seen: set[str] = set()
        while url and url not in seen and given < limit:
            seen.add(url)
            answer = self._web.read(url)
            results, url = _page(answer)
            for one in results[: limit - given]:
                given += 1
                yield one


def _page(answer: WebAnswer) -> tuple[list[Found], str]:
    """Return the results of a page, and where the next one is."""
    try:
        said = json.loads(answer.content)
        results = [_result(one, answer.url) for one in said["results"]]
        following = said.get("next")
        return results, urljoin(answer.url, following) if following else ""
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise GoneForGood("the search does not answer with results in JSON") from error


def _result(one: dict[str, Any], base: str) -> Found:
    url, languages = said_text(one["url"]), one.get("languages")
    with suppress(ValueError):  # an odd address is that of one video that is gone
        url = urljoin(base, url)
    return Found(
        safe_id(str(one.get("id") or ""), url),
        url,
        said_text(one.get("title") or ""),
        said_number(one.get("duration_s")),
        said_count(one.get("views")),
        None if languages is None else tuple(map(said_text, languages)),
    )
