"""A catalogue of videos as a source: a CSV, JSONL or Parquet file, of any length.

Columns: ``url``, and as far as known ``id`` (or ``video_id``), ``title``, ``duration_s``, ``views``,
``languages`` and ``captions`` (one or more, parted by blanks), ``task`` and ``rank``. Where the column
``task`` is filled, a search gives the rows of that task; else those whose titles hold all the words.
``ids.csv``, which another corpus publishes, is one.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from sayso.core.errors import SaysoError
from sayso.data.manifest import manifest_rows
from sayso.systems.corpus.source import CaptionTrack, Found, safe_id, said_count, said_number, said_text
from sayso.text.captions.sidecar import AUTOMATIC
from sayso.text.language.languages import named_language

log = logging.getLogger(__name__)
_COLUMNS = frozenset(
    {"id", "video_id", "url", "title", "duration_s", "views", "languages", "captions", "task"}
)
_TABLES = """
PRAGMA cache_size = -8000;
CREATE TABLE videos (n INTEGER PRIMARY KEY, task TEXT, rank INTEGER, facts TEXT);
CREATE VIRTUAL TABLE titles USING fts5 (title, content = '', tokenize = 'porter unicode61');
"""
_HOW_TO = re.compile(r"^\s*how\s+to\s+", re.IGNORECASE)


class Catalogue:
    """A list of videos in a file, read once into a temporary database on disk.

    Args:
        path: a CSV, JSONL or Parquet file.

    Raises:
        SaysoError: if it cannot be read, or no row has an address.
    """

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect("")
        self._db.executescript(_TABLES)
        self.count, left_out, first = 0, 0, ""
        for number, row in manifest_rows(path, _COLUMNS):
            try:
                self._add(number, row)
            except (ValueError, TypeError) as error:
                left_out += 1
                first = first or f"row {number}: {error}"
        if not self.count:
            why = first if left_out else "it holds no rows"
            raise SaysoError(f"the catalogue {path} lists no video that has a url ({why})")
        if left_out:
            log.warning("%s: left out %s rows, such as %s", path, f"{left_out:,}", first)
        self._db.execute("CREATE INDEX by_task ON videos (task, rank, n)")

    def search(self, query: str, limit: int) -> Iterator[Found]:
        """Yield the videos of a task, else those whose titles hold all words of the query."""
        title = _HOW_TO.sub("", query).casefold()
        of_task = "SELECT facts FROM videos WHERE task = ? ORDER BY rank, n LIMIT ?"
        found = self._db.execute(of_task, (title, limit)).fetchall()
        words = re.findall(r"\w+", title)
        if not found and words:
            by_words = """SELECT facts FROM titles JOIN videos ON videos.n = titles.rowid
                          WHERE titles MATCH ? AND task = '' ORDER BY bm25(titles), n LIMIT ?"""
            match = " ".join(f'"{word}"' for word in words)
            found = self._db.execute(by_words, (match, limit)).fetchall()
        yield from (_found(json.loads(facts)) for (facts,) in found)

    def everything(self) -> Iterator[tuple[Found, str, int]]:
        """Yield all videos in order, with task and rank; some hundreds are in memory."""
        last = -1
        page = "SELECT n, rank, facts FROM videos WHERE n > ? ORDER BY n LIMIT 256"
        while rows := self._db.execute(page, (last,)).fetchall():
            for number, rank, text in rows:
                facts = json.loads(text)
                yield _found(facts), facts["task"], number if rank is None else rank
            last = rows[-1][0]

    def _add(self, number: int, row: Mapping[str, Any] | str) -> None:
        if isinstance(row, str):
            raise ValueError(row)  # noqa: TRY004  it is why the row cannot be read
        url = _text(row, "url")
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"its url is {url!r}")
        key = safe_id(_text(row, "id") or _text(row, "video_id"), url)
        captions = _tracks(row.get("captions"))
        languages = row.get("languages")
        video = Found(
            key,
            url,
            _text(row, "title"),
            said_number(_text(row, "duration_s")),
            said_count(_text(row, "views")),
            tuple(languages.replace(",", " ").split()) or None
            if isinstance(languages, str)
            else languages and tuple(map(str, languages)),
            captions,
        )
        task, rank = _text(row, "task"), said_count(_text(row, "rank"))
        facts = json.dumps({**video.facts(), "id": key, "task": task})
        place = (number, task.casefold(), rank, facts)
        self._db.execute("INSERT INTO videos VALUES (?, ?, ?, ?)", place)
        self._db.execute("INSERT INTO titles (rowid, title) VALUES (?, ?)", (number, video.title))
        self.count += 1


def _found(facts: dict[str, Any]) -> Found:
    return Found.of(facts["id"], facts)


def _text(row: Mapping[str, Any], column: str) -> str:
    return said_text(row.get(column)).strip()


def _tracks(said: Any) -> tuple[CaptionTrack, ...] | None:
    """Return the captions that a row names: addresses, or a list of addresses or of tracks."""
    if said is None or said == "":
        return None
    named = said.split() if isinstance(said, str) else said
    return tuple(_track(one) if isinstance(one, str) else CaptionTrack(**one) for one in named)


def _track(url: str) -> CaptionTrack:
    """Return a track whose language and kind its name says, as ``talk.en.auto.vtt`` does."""
    parts = PurePosixPath(urlsplit(url).path).name.split(".")[1:-1]
    known = next((known for part in parts if (known := named_language(part))), None)
    return CaptionTrack(url, known[0] if known else None, any(part.lower() in AUTOMATIC for part in parts))
