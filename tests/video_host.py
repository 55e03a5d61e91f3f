"""A site with videos on loopback: search, pages with tracks, files; it misbehaves as told and keeps a log.

What becomes of each video is known beforehand (``Video.end``), so that a funnel can be counted by hand.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import ceil
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from sayso.core.types import Caption
from sayso.text import write_vtt
from sayso.toyworld.howto import training_video
from sayso.toyworld.write import render, write_video

MIN_WORDS = 40
PAGE = 7  # results
# how a video misbehaves -> stage at which it ends, status, reason; None: it gets into the corpus
ENDS = {
    "": None,
    "few views": ("find", "rejected", "views"),
    "long": ("find", "rejected", "duration"),
    "french": ("find", "rejected", "language"),
    "unknown": None,
    "automatic": None,
    "both": None,
    "short captions": ("captions", "rejected", "words"),
    "french captions": ("captions", "rejected", "no captions in the language"),
    "silent": None,
    "page gone": ("captions", "gone", "HTTP 404"),
    "private": ("captions", "gone", "HTTP 403"),
    "page busy": ("captions", "failed", "HTTP 503"),
    "file gone": ("fetch", "gone", "HTTP 404"),
    "503 twice": None,
    "429": None,
    "429 date": None,
    "drip": None,
    "cut once": None,
    "cut": ("fetch", "failed", "cut off"),
    "wrong length": ("fetch", "failed", "no video that can be read"),
    "no robots": ("fetch", "rejected", "X-Robots-Tag: noai"),
    "redirect": None,
}


@dataclass(frozen=True)
class Video:
    id: str
    fault: str
    tasks: tuple[str, ...]
    file: bytes
    lines: tuple[Caption, ...]

    @property
    def end(self):
        end = ENDS[self.fault]
        heard = self.fault not in ("silent", "french captions", "page gone", "private", "page busy")
        few = heard and (end is None or end[0] == "fetch") and self.words < MIN_WORDS
        return ("captions", "rejected", "words") if few else end

    @property
    def words(self) -> int:
        return sum(len(line.text.split()) for line in self.spoken)

    @property
    def spoken(self) -> tuple[Caption, ...]:
        return self.lines[:1] if self.fault == "short captions" else self.lines

    def found(self) -> dict[str, object]:
        unknown = self.fault == "unknown"
        return {
            "id": self.id,
            "url": f"/watch/{self.id}",
            "title": f"How to {self.tasks[0]}",
            "views": None if unknown else 5 if self.fault == "few views" else 1000,
            "duration_s": None if unknown else 4000 if self.fault == "long" else 30,
            "languages": None if unknown else ["fr"] if self.fault == "french" else ["en"],
        }

    def page(self) -> str:
        automatic = f'<track src="/c/{self.id}.auto.vtt" srclang="en" label="English (auto-generated)">'
        uploaded = f'<track kind="captions" src="/c/{self.id}.vtt" srclang="en-GB" label="English">'
        french = f'<track src="/c/{self.id}.fr.vtt" srclang="fr">'
        tracks = {
            "automatic": automatic + french,
            "both": automatic + uploaded,
            "silent": "",
            "french captions": french,
        }
        where = f"/moved/{self.id}.mp4" if self.fault == "redirect" else f"/v/{self.id}.mp4"
        return (
            f'<html><video><source src="/v/{self.id}.1080.mp4" size="1080"><source src="{where}" size="240">'
            f"{tracks.get(self.fault, uploaded)}</video></html>"
        )


def make_videos(folder: Path, tasks: list[str], count: int, faults: list[str]) -> list[Video]:
    """Toy videos, one in five of two tasks; the first ``len(faults)`` misbehave."""
    made = []
    for k in range(count):
        film = training_video(0, k)
        path = folder / f"{k}.mp4"
        write_video(path, render(film, size=16, fps=1), 1)
        lines = tuple(Caption(line.span, line.text) for line in film.lines)
        of = (tasks[k % len(tasks)], *([tasks[(k + 1) % len(tasks)]] if k % 5 == 0 else []))
        made.append(Video(f"vid-{k:04}", faults[k] if k < len(faults) else "", of, path.read_bytes(), lines))
    return made


@dataclass
class VideoHost:
    """The running site.

    Args:
        videos: by id.
    """

    videos: dict[str, Video]
    url: str = ""
    log: list[tuple[str, int]] = field(default_factory=list)  # path and status, as answered
    wrong: list[str] = field(default_factory=list)  # requests before Retry-After
    most: int = 0  # requests at once
    forgiven: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: Counter = field(default_factory=Counter)
    shut_until: float = 0.0
    life: int = 0
    now: Callable[[], float] = time.time
    active: int = 0
    hold_after: int | None = None  # answers; the next request waits until the client was killed
    alive: threading.Condition = field(default_factory=threading.Condition)

    @property
    def search(self) -> str:
        return f"{self.url}/search?q={{query}}&page=0"

    def reset(self) -> None:
        """Forget what was asked for."""
        with self.lock:
            self.log, self.wrong, self.most, self.asked = [], [], 0, Counter()
            self.shut_until, self.active, self.life, self.forgiven = 0.0, 0, self.life + 1, 0

    def killed(self, known_until: float) -> None:
        """The client is dead; it knew that it must wait until then (0: it had no time to write it down)."""
        with self.lock, self.alive:
            self.life, self.active, self.hold_after = self.life + 1, 0, None
            if known_until < self.shut_until:
                self.shut_until = 0.0
                self.forgiven += 1
            self.alive.notify_all()

    def enter(self, path: str) -> int:
        with self.lock:
            if self.now() < self.shut_until:
                self.wrong.append(path)
            self.active += 1
            self.most = max(self.most, self.active)
            life = self.life
            held = self.hold_after is not None and len(self.log) >= self.hold_after
        with self.alive:
            self.alive.wait_for(lambda: not held or self.life != life)
        with self.lock:
            self.asked[path] += life == self.life
        return life

    def leave(self, life: int, path: str, status: int) -> None:
        """Before the last byte goes out, as the client may ask again as soon as it has it."""
        with self.lock:
            self.log.append((path, status))
            if life == self.life:
                self.active -= 1


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.host: VideoHost = self.server.host
        self.life = self.host.enter(self.path)
        if self.life != self.host.life:
            return  # whoever asked was killed
        with suppress(BrokenPipeError, ConnectionResetError):
            self._route(unquote(urlsplit(self.path).path))

    def _route(self, path: str) -> None:
        kind, _, name = path.strip("/").partition("/")
        video = self.host.videos.get(name.partition(".")[0])
        if kind == "search":
            return self._search()
        if video is None or (kind == "watch" and video.fault == "page gone"):
            return self._send(404, b"nothing here")
        if kind == "watch" and video.fault == "private":
            return self._send(403, b"")
        if kind == "watch" and video.fault == "page busy":
            return self._send(503, b"")
        if kind == "watch":
            return self._send(200, video.page().encode(), "text/html")
        if kind == "c":
            return self._send(200, write_vtt(video.spoken).encode(), "text/vtt")
        if kind == "moved":
            return self._send(302, b"", Location=f"/v/{video.id}.mp4")
        return self._video(video)

    def _search(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        task, page = asked["q"][0].removeprefix("how to "), int(asked["page"][0])
        hits = [video for video in self.host.videos.values() if task in video.tasks]
        hits.sort(key=lambda video: (video.tasks.index(task), video.id))
        more = f"/search?q={asked['q'][0].replace(' ', '+')}&page={page + 1}"
        part = hits[page * PAGE : (page + 1) * PAGE]
        said = {"results": [video.found() for video in part]}
        said["next"] = more if len(hits) > (page + 1) * PAGE else None
        self._send(200, json.dumps(said).encode(), "application/json")

    def _video(self, video: Video) -> None:
        before = self.host.asked[self.path] - 1
        body, fault = video.file, video.fault
        if fault == "file gone":
            return self._send(404, b"")
        if fault == "503 twice" and before < 2:
            return self._send(503, b"")
        if fault.startswith("429") and before < 1:
            return self._too_many(as_date=fault == "429 date")
        if fault == "cut" or (fault == "cut once" and before < 1):
            return self._send(200, body[: len(body) // 2], "video/mp4", length=len(body))
        if fault == "wrong length":
            return self._send(200, body, "video/mp4", length=len(body) // 2)
        robots = {"X_Robots_Tag": "noai"} if fault == "no robots" else {}
        return self._send(200, body, "video/mp4", drip=fault == "drip", **robots)

    def _too_many(self, *, as_date: bool) -> None:
        until = ceil(self.host.now() + 0.2) if as_date else self.host.now() + 1
        said = formatdate(until, usegmt=True) if as_date else "1"
        with self.host.lock:
            self.host.shut_until = until
        self._send(429, b"", Retry_After=said)

    def _send(self, status, body, kind="text/plain", *, length=None, drip=False, **headers) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if not body:
            self.host.leave(self.life, self.path, status)
        self.end_headers()
        parts = [body[at : at + len(body) // 5 + 1] for at in range(0, len(body), len(body) // 5 + 1)]
        for k, part in enumerate(parts if drip else [body] if body else []):
            if k == len(parts) - 1 or not drip:
                self.host.leave(self.life, self.path, status)
            self.wfile.write(part)
            if drip:
                self.wfile.flush()
                time.sleep(0.02)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def serving_videos(videos: list[Video]) -> Iterator[VideoHost]:
    host = VideoHost({video.id: video for video in videos})
    server = _Server(("127.0.0.1", 0), _Handler)
    server.host = host
    host.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def expected_funnel(videos: list[Video]) -> dict[str, dict[tuple[str, str], int]]:
    """Stage -> (status, reason) -> how many, as the videos were made; ``build`` counts clips, too."""
    counts: dict[str, Counter] = {stage: Counter() for stage in ("find", "captions", "fetch", "build")}
    notes = {"find": {"unknown": "unknown: views, duration, language"}, "captions": {"silent": "silent"}}
    for video in videos:
        for stage, count in counts.items():
            if video.end and video.end[0] == stage:
                count[video.end[1:]] += 1
                break
            if stage == "build" and video.fault == "silent":
                continue
            count["done", notes.get(stage, {}).get(video.fault, "")] += 1
    counts["clips"] = sum(len(v.spoken) for v in videos if not v.end and v.fault != "silent")
    return counts
