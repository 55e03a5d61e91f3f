"""Where a video and its captions lie on an ordinary site: its page says, or its address is the file's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from sayso.core.errors import MediaError
from sayso.media import probe
from sayso.media.kinds import VIDEO_SUFFIXES
from sayso.media.wholeness import is_whole
from sayso.systems.corpus.source import CaptionTrack, Found
from sayso.systems.corpus.web import GoneForGood, Trouble, Web, leads_inside, web_address

_SPOKEN = frozenset({"subtitles", "captions"})


@dataclass(frozen=True, slots=True)
class MediaOffer:
    """What a site offers of a video.

    Args:
        files: addresses of its files and their heights in pixels, 0 if unknown, in the site's order.
        tracks: its captions.
        attempts: how often the site was asked for this.
    """

    files: tuple[tuple[str, int], ...]
    tracks: tuple[CaptionTrack, ...]
    attempts: int = 0


class VideoSite(Protocol):
    """What knows the videos of a site, and gets them."""

    def offer(self, video: Found) -> MediaOffer:
        """Return what there is of a video, without getting it."""

    def captions(self, track: CaptionTrack) -> tuple[bytes, int]:
        """Return a file of captions, and how often it was asked for."""

    def save(self, video: Found, files: list[tuple[str, int]], path: Path, height: int) -> int:
        """Write a video into a file, whole; return how often it was asked for.

        Args:
            video: which.
            files: of its offer.
            path: the file to write.
            height: pixels; the tallest file that is not taller, else the lowest.
        """


class OrdinarySite:
    """Any site with ``<video>`` and ``<track>`` in its pages, or bare files.

    Args:
        web: what asks.
    """

    def __init__(self, web: Web) -> None:
        self._web = web

    def offer(self, video: Found) -> MediaOffer:
        """Return what a video's page says; no page is asked for where the address is a file's."""
        if _suffix(video.url) in VIDEO_SUFFIXES or video.captions is not None:
            return MediaOffer(((video.url, 0),), video.captions or ())
        answer = self._web.read(video.url)
        if not answer.content:
            return MediaOffer(((answer.url, 0),), (), answer.attempts)
        page = _Page(answer.url)
        try:
            page.feed(answer.content.decode("utf-8", "replace"))
        except (AssertionError, ValueError) as error:  # such as <![odd[ or src="http://[odd"
            raise GoneForGood("a page that cannot be read") from error
        if not page.files:
            raise GoneForGood("no video on its page")
        return MediaOffer(tuple(page.files), tuple(page.tracks), answer.attempts)

    def captions(self, track: CaptionTrack) -> tuple[bytes, int]:
        """Return a file of captions, and how often it was asked for."""
        answer = self._web.read(track.url)
        return answer.content, answer.attempts

    def save(self, video: Found, files: list[tuple[str, int]], path: Path, height: int) -> int:  # noqa: ARG002
        """Write a video into a file, whole, and return how often it was asked for.

        Args:
            video: that was found.
            files: address and height in pixels of each.
            path: of the file.
            height: pixels at most.
        """
        with path.open("wb") as file:
            return self._web.save(nearest_height(files, height), file, whole_video(path))


def nearest_height(files: list[tuple[str, int]], height: int) -> str:
    """Return the address of the tallest file that is not taller, else of the lowest; the first of equals."""
    fitting = [one for one in files if one[1] <= height]
    return max(fitting, key=lambda one: one[1])[0] if fitting else min(files, key=lambda one: one[1])[0]


def whole_video(path: Path) -> Callable[[], None]:
    """Return what raises ``Trouble`` if a file is no video, or not all of one."""

    def check() -> None:
        try:
            container = probe(path).container
        except MediaError as error:
            raise Trouble("no video that can be read") from error
        with path.open("rb") as file:
            if not is_whole(file.fileno(), container):
                raise Trouble("not all of a video")

    return check


def _suffix(url: str) -> str:
    return PurePosixPath(urlsplit(web_address(url)[0]).path).suffix.lower()


class _Page(HTMLParser):
    """The first video of a page."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base, self._inside = base, False
        self.files: list[tuple[str, int]] = []
        self.tracks: list[CaptionTrack] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        source = urljoin(self._base, said["src"]) if said.get("src") else ""
        if tag == "video" and not self.files:
            self._inside = True
        if not (self._inside and source) or leads_inside(self._base, source):
            return
        if tag in ("video", "source"):
            tall = re.search(r"\d{1,9}", said.get("size") or said.get("res") or said.get("label") or "")
            self.files.append((source, int(tall.group()) if tall else 0))
        elif tag == "track" and said.get("kind", "subtitles").lower() in _SPOKEN:
            automatic = "auto" in said.get("label", "").lower()
            self.tracks.append(CaptionTrack(source, said.get("srclang") or None, automatic))

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "video"
