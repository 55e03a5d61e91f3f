"""A corpus as its ledger tells it: which videos wait for a stage, and how many became what.

The last rows of the ledger lie in a temporary database on disk, made anew by each run: memory does not grow
with the videos. Only videos of tasks that can be seen count, so a person's later correction counts too.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sayso.systems.corpus.ledger import Ledger, LedgerRow
from sayso.systems.corpus.source import Found, said_text

TOGETHER = 256  # videos that are looked up at once
LOST = "its file is not there any more"
"""Why a video waits again that was fetched before."""

_TABLES = """
PRAGMA cache_size = -8000;
CREATE TABLE tasks (title TEXT PRIMARY KEY, number INTEGER, visual INTEGER) WITHOUT ROWID;
CREATE TABLE rows (stage TEXT, key TEXT, status TEXT, why TEXT, attempts INTEGER, at TEXT, facts TEXT,
                   PRIMARY KEY (stage, key)) WITHOUT ROWID;
CREATE TABLE videos (n INTEGER PRIMARY KEY, id TEXT UNIQUE);
CREATE TABLE hits (id TEXT, task TEXT, rank INTEGER, PRIMARY KEY (id, task)) WITHOUT ROWID;
CREATE INDEX hits_by_task ON hits (task);
"""
_ACTIVE = """(NOT EXISTS (SELECT 1 FROM tasks) OR EXISTS (
    SELECT 1 FROM hits JOIN tasks ON tasks.title = hits.task WHERE hits.id = videos.id AND tasks.visual))"""
_COUNTED = f"""
    FROM rows
    LEFT JOIN videos ON videos.id = rows.key AND rows.stage <> 'search'
    LEFT JOIN tasks ON tasks.title = rows.key AND rows.stage = 'search'
    LEFT JOIN rows AS find ON find.stage = 'find' AND find.key = rows.key
    WHERE CASE rows.stage WHEN 'search' THEN tasks.visual
          ELSE {_ACTIVE} AND (rows.stage = 'find' OR find.status = 'done') END"""
_WAITING = f"""
    FROM videos
    JOIN rows AS find ON find.stage = 'find' AND find.key = videos.id
    JOIN rows AS before ON before.stage = ?1 AND before.key = videos.id AND before.status = 'done'
    LEFT JOIN rows AS own ON own.stage = ?2 AND own.key = videos.id
    WHERE find.status = 'done' AND {_ACTIVE}
    AND (own.status IS NULL OR own.status = ?3 OR own.why = '{LOST}')"""
_LAST_RANK = 1 << 50
BEFORE = {"captions": "find", "fetch": "captions"}
"""The stage whose done rows a stage goes through."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A video that waits for a stage.

    Args:
        video: as it was found.
        facts: of the stage before.
    """

    video: Found
    facts: dict[str, Any]


class CorpusState:
    """The last rows of a ledger, by stage and key.

    Args:
        ledger: read at once; what is recorded is written there first.
        tasks: number, title and whether it can be seen, of each; none where videos were listed without.
    """

    def __init__(self, ledger: Ledger, tasks: Iterable[tuple[int, str, bool]] = ()) -> None:
        self.ledger = ledger
        self._db = sqlite3.connect("")  # a temporary file that goes with the process
        self._db.executescript(_TABLES)
        self._db.executemany("INSERT OR IGNORE INTO tasks VALUES (?2, ?1, ?3)", tasks)
        for row in ledger.rows():
            self._apply(row)
        self._db.commit()

    def record(self, row: LedgerRow) -> None:
        """Write a row to the ledger; one for which no site was asked, unless the last one says the same."""
        known = self.row(row.stage, row.key)
        same = known is not None and (known.status, known.why, known.facts) == (
            row.status,
            row.why,
            row.facts,
        )
        if row.attempts or not same:
            self.ledger.write(row)
            self._apply(row)

    def row(self, stage: str, key: str) -> LedgerRow | None:
        """Return the last row of a key at a stage."""
        found = self._db.execute(
            "SELECT stage, key, status, why, attempts, at, facts FROM rows WHERE stage = ? AND key = ?",
            (stage, key),
        ).fetchone()
        if found is None:
            return None
        at_stage, of_key, status, why, attempts, at, facts = found
        return LedgerRow(at_stage, of_key, status, why, attempts, at, json.loads(facts))

    def find_row(self, key: str) -> LedgerRow:
        """Return the row of a video that was found.

        Raises:
            KeyError: if it was not.
        """
        row = self.row("find", key)
        if row is None:
            raise KeyError(key)
        return row

    def tasks(self, *, visual: bool) -> Iterator[str]:
        """Yield the titles of tasks that can, or cannot, be seen, in order."""
        query = "SELECT title FROM tasks WHERE visual = ? ORDER BY number"
        yield from (title for (title,) in self._db.execute(query, (visual,)).fetchall())

    def waiting(self, stage: str, retry: str | None = None) -> Iterator[list[Waiting]]:
        """Yield the videos that wait for a stage, some hundreds at a time, in the order found.

        Args:
            stage: ``captions`` or ``fetch``.
            retry: ``failed`` or ``gone``: those that are so wait again.
        """
        query = f"""
            SELECT videos.n, videos.id, find.facts, before.facts {_WAITING} AND videos.n > ?4
            ORDER BY videos.n LIMIT {TOGETHER}"""
        last = -1
        while rows := self._db.execute(query, (BEFORE[stage], stage, retry or "", last)).fetchall():
            yield [Waiting(Found.of(key, json.loads(f)), json.loads(facts)) for _, key, f, facts in rows]
            last = rows[-1][0]

    def count_waiting(self, stage: str, retry: str | None = None) -> int:
        """Return how many videos wait for a stage; arguments as for ``waiting``."""
        query = f"SELECT count(*) {_WAITING}"
        return int(self._db.execute(query, (BEFORE[stage], stage, retry or "")).fetchone()[0])

    def fetched(self) -> Iterator[str]:
        """Yield the videos that were fetched and count now; some hundreds are in memory."""
        last = ""
        query = f"""
            SELECT videos.id FROM videos
            JOIN rows AS find ON find.stage = 'find' AND find.key = videos.id AND find.status = 'done'
            JOIN rows AS own ON own.stage = 'fetch' AND own.key = videos.id AND own.status = 'done'
            WHERE {_ACTIVE} AND videos.id > ? ORDER BY videos.id LIMIT {TOGETHER}"""  # noqa: S608
        while rows := self._db.execute(query, (last,)).fetchall():
            yield from (key for (key,) in rows)
            last = rows[-1][0]

    def found(self) -> Iterator[tuple[Found, dict[str, int], LedgerRow]]:
        """Yield every video that was found, its ranks by task, and its row; some hundreds are in memory."""
        last = -1
        query = f"SELECT n, id FROM videos WHERE n > ? ORDER BY n LIMIT {TOGETHER}"  # noqa: S608
        while rows := self._db.execute(query, (last,)).fetchall():
            for _, key in rows:
                row = self.find_row(key)
                yield Found.of(key, row.facts), dict(row.facts["tasks"]), row
            last = rows[-1][0]

    def ranked(self) -> Iterator[tuple[str, int, str, int]]:
        """Yield the id, best rank, its task and that task's number, of each video that was accepted.

        They come by task, then rank; without tasks, numbers count the titles in the videos' order.
        """
        query = """
            WITH named AS (SELECT title, number FROM tasks WHERE visual
                           UNION ALL SELECT task, row_number() OVER (ORDER BY task) - 1 FROM hits
                           WHERE NOT EXISTS (SELECT 1 FROM tasks) GROUP BY task),
                 best AS (SELECT hits.id, rank, title, number, row_number() OVER (
                              PARTITION BY hits.id ORDER BY rank, number) AS place
                          FROM hits JOIN named ON named.title = hits.task)
            SELECT best.id, rank, title, number FROM best
            JOIN rows AS find ON find.stage = 'find' AND find.key = best.id AND find.status = 'done'
            WHERE place = 1 ORDER BY number, rank, best.id"""
        self._db.execute("DROP TABLE IF EXISTS temp.ranked")
        self._db.execute(f"CREATE TEMP TABLE ranked AS {query}")
        last = 0
        page = f"SELECT rowid, * FROM temp.ranked WHERE rowid > ? ORDER BY rowid LIMIT {TOGETHER}"  # noqa: S608
        while rows := self._db.execute(page, (last,)).fetchall():
            yield from (row[1:] for row in rows)
            last = rows[-1][0]

    def counts(self) -> list[tuple[str, str, str, int, int]]:
        """Return stage, status, reason, number of keys that count now, and the sum of their ``clips``."""
        clips = (
            "CASE rows.stage WHEN 'build' THEN coalesce(json_extract(rows.facts, '$.clips'), 0) ELSE 0 END"
        )
        query = f"""
            SELECT rows.stage, rows.status, rows.why, count(*), sum({clips}) {_COUNTED}
            GROUP BY rows.stage, rows.status, rows.why
            ORDER BY rows.stage, rows.status, count(*) DESC, rows.why"""
        return [tuple(row) for row in self._db.execute(query)]

    def count_silent(self) -> int:
        """Return how many videos were fetched, have no captions, and were not built with others since."""
        query = f"""
            SELECT count(*) FROM videos
            JOIN rows AS find ON find.stage = 'find' AND find.key = videos.id AND find.status = 'done'
            JOIN rows AS fetch ON fetch.stage = 'fetch' AND fetch.key = videos.id AND fetch.status = 'done'
            JOIN rows AS heard ON heard.stage = 'captions' AND heard.key = videos.id AND heard.why = 'silent'
            LEFT JOIN rows AS built ON built.stage = 'build' AND built.key = videos.id
            WHERE built.status IS NULL AND {_ACTIVE}"""  # noqa: S608
        return int(self._db.execute(query).fetchone()[0])

    def failures(self, most: int) -> list[LedgerRow]:
        """Return the first rows that failed, of those that count now."""
        query = f"""
            SELECT rows.stage, rows.key, rows.status, rows.why, rows.attempts, rows.at {_COUNTED}
            AND rows.status = 'failed' ORDER BY rows.stage, rows.key LIMIT ?"""
        return [LedgerRow(*row) for row in self._db.execute(query, (most,))]

    def task_counts(self) -> tuple[int, int]:
        """Return the number of tasks, and of those that can be seen."""
        return tuple(self._db.execute("SELECT count(*), coalesce(sum(visual), 0) FROM tasks").fetchone())

    def close(self) -> None:
        """Give the database up."""
        self._db.close()

    def _apply(self, row: LedgerRow) -> None:
        facts = json.dumps(dict(row.facts))  # in ASCII: SQLite takes no half characters
        self._db.execute(
            "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)",
            (row.stage, row.key, row.status, row.why, row.attempts, row.at, facts),
        )
        if row.stage == "find":
            self._db.execute("INSERT OR IGNORE INTO videos (id) VALUES (?)", (row.key,))
            self._db.execute("DELETE FROM hits WHERE id = ?", (row.key,))
            hits = [
                (row.key, said_text(task), min(rank, _LAST_RANK))
                for task, rank in row.facts.get("tasks", {}).items()
            ]
            self._db.executemany("INSERT OR IGNORE INTO hits VALUES (?, ?, ?)", hits)
