"""YouTube through yt-dlp, as a source and as a site; no cookie is read, and nothing evades its limits.

yt-dlp makes requests of its own; all that it asks before a file begins to come counts as one turn of the
host's, and it is told to keep the same pause between its requests. It reads no ``Retry-After``: this does.

Automatic captions are those of what is spoken (``en-orig``, or ``en`` where that is no translation).
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.core.offline import offline
from sayso.systems.corpus.source import CaptionTrack, Found, safe_id, said_count, said_number, said_text
from sayso.systems.corpus.storage import SUFFIX
from sayso.systems.corpus.video_site import MediaOffer, whole_video
from sayso.systems.corpus.web import BUSY, GONE, LOOPBACK, Busy, GoneForGood, Trouble, Web, gate_of

log = logging.getLogger(__name__)
EXTRA = "corpus"
PAGE = "https://www.youtube.com/watch?v="
_FORMATS = ("vtt", "json3", "srv3", "ttml")
_GONE = re.compile(
    r"private|unavailable|removed|deleted|terminated|members|not available|copyright|confirm your age|"
    r"payment|purchase|premiere|live event",
    re.IGNORECASE,
)
_BUSY = re.compile(r"not a bot|too many requests|rate.?limit|try again later", re.IGNORECASE)


class YtDlp:
    """Videos of YouTube, or of another site that yt-dlp knows.

    Args:
        web: gets captions, and holds the limits.
    """

    def __init__(self, web: Web) -> None:
        self._web, self._limits = web, web.limits
        need("yt_dlp", EXTRA)

    def search(self, query: str, limit: int) -> Iterator[Found]:
        """Yield what YouTube finds; no video is asked for."""
        listed, _ = self._web.persist(lambda: self._ask(f"ytsearch{limit}:{query}", PAGE, extract_flat=True))
        for entry in listed.get("entries") or ():
            if entry and entry.get("id") and entry.get("live_status") not in ("is_live", "is_upcoming"):
                yield _found(entry)

    def offer(self, video: Found) -> MediaOffer:
        """Return the captions of a video; yt-dlp chooses among its files by itself."""
        info, attempts = self._web.persist(lambda: self._ask(video.url, video.url))
        tracks = [*_tracks(info.get("subtitles"), automatic=False)]
        tracks += _tracks(info.get("automatic_captions"), automatic=True)
        return MediaOffer(((video.url, 0),), tuple(tracks), attempts)

    def captions(self, track: CaptionTrack) -> tuple[bytes, int]:
        """Return a file of captions, and how often it was asked for."""
        answer = self._web.read(track.url)
        return answer.content, answer.attempts

    def save(self, video: Found, files: list[tuple[str, int]], path: Path, height: int) -> int:  # noqa: ARG002
        """Write a video into a file, whole, and return how often it was asked for.

        Args:
            video: that was found.
            files: not used: yt-dlp knows them.
            path: of the file; what is taken has picture and sound in it, so that no ffmpeg is needed.
            height: pixels at most.
        """
        wanted = f"best[height<=?{height}][ext=mp4]/best[height<=?{height}]/worst"
        named = path.with_name(f"{path.name}{SUFFIX}")  # it takes ".part" for its own mark, and off
        options = {"format": wanted, "outtmpl": {"default": str(named).replace("%", "%%")}, "nopart": True}
        check = whole_video(named)

        def once() -> None:
            self._ask(video.url, video.url, download=True, overwrites=True, fixup="never", **options)
            check()

        try:
            attempts = self._web.persist(once)[1]
            named.replace(path)
        finally:
            named.unlink(missing_ok=True)
        return attempts

    def _ask(self, what: str, url: str, *, download: bool = False, **options: Any) -> dict[str, Any]:
        """Return what yt-dlp says of an address, in one turn of the host, till a file begins to come.

        Raises:
            GoneForGood: if the video is not there for everybody.
            Trouble: if it may work another time.
        """
        if offline():
            raise SaysoError(f"{url} cannot be asked for: SAYSO_OFFLINE is set; unset it")
        yt_dlp = need("yt_dlp", EXTRA)
        with contextlib.ExitStack() as held:
            gate = held.enter_context(self._limits.turn(gate_of(url)))
            open_turns = [gate]

            def comes(_: object) -> None:
                """The host has answered; the others need not wait for the end of a file."""
                if open_turns:
                    self._limits.answered(open_turns.pop())
                    held.close()

            told = self._options(urlsplit(url).hostname) | {"progress_hooks": [comes]} | options
            try:
                with yt_dlp.YoutubeDL(told) as program:
                    info = program.extract_info(what, download=download)
                    said = program.sanitize_info(info) if info else None
            except yt_dlp.utils.DownloadError as error:
                status, headers = _status(error)
                reason = _plain(str(error))
                if status in BUSY or _BUSY.search(reason):
                    self._limits.refused(gate, headers.get("Retry-After"))
                    raise Busy(f"HTTP {status}" if status else "asked for a sign-in") from error
                if status in GONE or _GONE.search(reason):
                    raise GoneForGood(f"HTTP {status}" if status else reason) from error
                raise Trouble(f"HTTP {status}" if status else reason) from error
            comes(info)
        if not said or (download and not said.get("requested_downloads")):
            raise Trouble("yt-dlp gave nothing")
        return dict(said)

    def _options(self, host: str | None) -> dict[str, Any]:
        manners = self._limits.manners
        pause = 1 / manners.per_host
        direct = {"proxy": ""} if host in LOOPBACK else {}
        return {
            "quiet": True,
            "no_warnings": True,
            "noprogress": True,
            "logger": _Quiet(),
            "noplaylist": True,
            "cachedir": False,
            "retries": 0,
            "extractor_retries": 0,
            "socket_timeout": manners.timeout_s,
            "sleep_interval_requests": pause,
            **direct,
        }


class _Quiet:
    """What yt-dlp tells: nothing on the terminal."""

    def debug(self, message: str) -> None:
        log.debug("%s", message)

    info = warning = error = debug


def _found(entry: dict[str, Any]) -> Found:
    url = entry.get("webpage_url") or entry.get("url") or PAGE + entry["id"]
    language = entry.get("language")
    return Found(
        safe_id(str(entry["id"]), url),
        url,
        said_text(entry.get("title")),
        said_number(entry.get("duration")),
        said_count(entry.get("view_count")),
        (language,) if language else None,
    )


def _tracks(said: dict[str, list[dict[str, Any]]] | None, *, automatic: bool) -> Iterator[CaptionTrack]:
    """Yield a track a language, in a format that can be read; of automatic ones none that is translated."""
    known = dict(said or {})
    for language, files in known.items():
        by_format = {file.get("ext"): file.get("url") for file in files}
        url = next((by_format[name] for name in _FORMATS if by_format.get(name)), None)
        if url is None or language == "live_chat":
            continue
        original = language.removesuffix("-orig")
        if automatic and ("tlang=" in url or (original == language and f"{language}-orig" in known)):
            continue
        yield CaptionTrack(url, original, automatic)


def _status(error: Any) -> tuple[int | None, Any]:
    """Return the HTTP status and headers behind yt-dlp's error, if there is one."""
    cause: Any = error.exc_info[1] if getattr(error, "exc_info", None) else None
    for _ in range(5):
        if cause is None:
            break
        if isinstance(getattr(cause, "status", None), int):
            headers = {}
            with contextlib.suppress(AttributeError):
                headers = cause.response.headers
            return cause.status, headers
        cause = getattr(cause, "cause", None) or cause.__cause__
    return None, {}


def _plain(said: str) -> str:
    """Return yt-dlp's reason without id, query and advice, so that equal reasons count as one."""
    text = re.sub(r"\x1b\[[\d;]*m", "", said).removeprefix("ERROR: ")
    text = re.sub(r'^\[[^\]]*\]\s*((query ".*"( page \d+)?|\S+):\s+)?', "", text)
    return re.split(r"[.;(]\s", text, maxsplit=1)[0].strip(" .")[:100]
