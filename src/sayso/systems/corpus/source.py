"""What a search gives: videos, with what is known of them before they are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs, quote, urlsplit

YOUTUBE = ("youtube.com", "youtu.be", "youtube-nocookie.com")
_LONGEST_ID = 120
_MOST = 1e15  # a number beyond is no count, no length and no rank


@dataclass(frozen=True, slots=True)
class CaptionTrack:
    """Captions that a site has of a video.

    Args:
        url: of the file.
        language: ISO 639, with a region perhaps; None if unknown.
        automatic: made by a machine.
    """

    url: str
    language: str | None = None
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A video that a search gave.

    Args:
        id: a name of letters, digits, ``-``, ``_``, ``.`` and ``%``; files are called by it.
        url: of the video or of its page.
        title: as it is called there.
        duration_s: None if unknown.
        views: None if unknown.
        languages: that are spoken in it; None if unknown.
        captions: those that the search names; None: its page says.
    """

    id: str
    url: str
    title: str = ""
    duration_s: float | None = None
    views: int | None = None
    languages: tuple[str, ...] | None = None
    captions: tuple[CaptionTrack, ...] | None = None

    def facts(self) -> dict[str, Any]:
        """Return the known fields but the id, ready for JSON."""
        return {name: value for name, value in asdict(self).items() if name != "id" and value is not None}

    @classmethod
    def of(cls, key: str, facts: Mapping[str, Any]) -> Found:
        """Return what ``facts`` were made of."""
        tracks, languages = facts.get("captions"), facts.get("languages")
        return cls(
            key,
            facts["url"],
            facts.get("title", ""),
            facts.get("duration_s"),
            facts.get("views"),
            None if languages is None else tuple(languages),
            None if tracks is None else tuple(CaptionTrack(**track) for track in tracks),
        )


class SearchSource(Protocol):
    """Where videos are searched for."""

    def search(self, query: str, limit: int) -> Iterator[Found]:
        """Yield the videos that answer a query, best first.

        Args:
            query: such as "how to peel garlic".
            limit: how many at most.

        Raises:
            GoneForGood: if there can be no answer.
            GaveUp: after the last attempt.
        """


def said_number(said: object) -> float | None:
    """Return a number that a source says; None if it says none, or one that cannot be.

    Raises:
        ValueError: if it is no number.
        TypeError: if it is no number.
    """
    if said is None or said == "":
        return None
    try:
        number = float(said)  # type: ignore[arg-type]
    except OverflowError:
        return None
    return number if abs(number) < _MOST else None


def said_count(said: object) -> int | None:
    """Return a whole number that a source says, as ``said_number``."""
    number = said_number(said)
    return None if number is None else int(number)


def said_text(said: object) -> str:
    """Return a text that a source says, without what UTF-8 cannot say."""
    return "" if said is None else str(said).encode("utf-8", "replace").decode()


def safe_id(said: str, url: str) -> str:
    """Return a video's id as files can be called by it; without one, of its address."""
    said, url = said_text(said), said_text(url)
    said = said or youtube_id(url) or hashlib.sha256(url.encode()).hexdigest()[:16]
    safe = quote(said, safe="")
    safe = f"%2E{safe[1:]}" if safe.startswith(".") else safe
    return safe if len(safe) <= _LONGEST_ID else hashlib.sha256(said.encode()).hexdigest()[:32]


def youtube_id(url: str) -> str:
    """Return the id in an address of YouTube's; empty if it is another's."""
    if not of_youtube(url):
        return ""
    parts = urlsplit(url)
    if parts.hostname and parts.hostname.endswith("youtu.be"):
        return parts.path.strip("/")
    kind, _, rest = parts.path.strip("/").partition("/")
    return parse_qs(parts.query).get("v", [rest if kind in ("shorts", "embed", "live") else ""])[0]


def of_youtube(url: str) -> bool:
    """Tell whether an address is YouTube's."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return any(host == name or host.endswith(f".{name}") for name in YOUTUBE)
