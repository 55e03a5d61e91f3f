"""Single rows of an index: a file, and what is said in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sayso.core.types import Caption, Span
from sayso.index.hit import Media
from sayso.index.sql import sql_string
from sayso.index.timed import read_rows

if TYPE_CHECKING:
    from sayso.index.store import Store

_MEDIA_COLUMNS = list(Media.__slots__[1:])


def read_media(store: Store, media_id: str) -> Media:
    """Return one file of an index.

    Raises:
        KeyError: if there is no such file.
    """
    there = store.media.schema.names
    held = [name for name in _MEDIA_COLUMNS if name in there]
    row = first_row(store.media, "media_id", media_id, ["media_id", *held])
    return Media(id=row.pop("media_id"), **row)


def read_transcript(store: Store, media_id: str) -> list[Caption]:
    """Return what is said in a file, in order.

    Raises:
        KeyError: if there is no such file.
    """
    captions = first_row(store.media, "media_id", media_id, ["captions"])["captions"] or []
    return [Caption(Span(c["start_s"], c["end_s"]), c["text"], c["speaker"]) for c in captions]


def first_row(table: Any, column: str, value: str, columns: list[str]) -> dict[str, Any]:
    """Return the row of a table whose text column has a value.

    Args:
        table: of LanceDB.
        column: of text.
        value: of the row.
        columns: which of the row are returned.

    Raises:
        KeyError: if there is none.
    """
    query = table.search().where(f"{column} = {sql_string(value)}").select(columns).limit(1)
    rows: list[dict[str, Any]] = read_rows(query).to_pylist()
    if not rows:
        raise KeyError(value)
    return rows[0]
