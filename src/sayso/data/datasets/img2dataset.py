"""Shards of captioned pictures, and what img2dataset says of them.

It writes ``00000.tar`` (``000000000.jpg``, ``.txt``, ``.json``) and beside it ``00000.parquet``, with a row
for every URL, also those that failed (``status``, ``error_message``). How many samples there are is counted
in the shards; nothing has to be guessed or told.

Source
    https://github.com/rom1504/img2dataset (the formats, from its README and writer.py)
"""

from __future__ import annotations

import os
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.data.listed_picture import ListedPicture
from sayso.data.picture_texts import PICTURE_SUFFIXES_READ, read_texts
from sayso.data.problems import RecordProblem
from sayso.data.shards import Sample, shard_samples

_DONE = "success"


def read_picture_shards(tars: list[Path]) -> Iterator[ListedPicture | RecordProblem]:
    """Yield the pictures of shards, in order, and what of them cannot be used; one shard is in memory.

    Args:
        tars: the shards; img2dataset's tables are looked for beside each.
    """
    for tar in tars:
        reports: list[tuple[str, str]] = []
        found: set[str] = set()
        full = os.path.abspath(tar)  # noqa: PTH100
        try:
            for sample in shard_samples(tar, PICTURE_SUFFIXES_READ, reports):
                found.add(sample.key.rpartition("/")[2])
                yield _picture(sample, full)
        except (OSError, tarfile.TarError) as error:
            yield RecordProblem(f"{tar} ({error})", "its shard is damaged or cut off after it")
        yield from (RecordProblem(where, _short(why)) for where, why in reports)
        yield from failed_downloads(tar.with_suffix(".parquet"), found)
    if tars:
        yield from _without_shard(tars)


def failed_downloads(table: Path, found: set[str] | None = None) -> Iterator[RecordProblem]:
    """Yield how many rows of img2dataset's table failed, for each reason; nothing if it is no such table.

    Args:
        table: the ``.parquet`` of a shard; it need not be there.
        found: the keys in the shard; rows that were downloaded and are not in it count too.
    """
    if not table.is_file():
        return
    try:
        rows = _table_rows(table)
        failed: Counter[str] = Counter()
        lost: list[str] = []
        for key, status, message in rows:
            if status != _DONE:
                failed[f"{status}: {' '.join(message.split())[:100]}" if message else status] += 1
            elif found is not None and key and key not in found:
                lost.append(key)
    except (OSError, ValueError) as error:
        yield RecordProblem(f"{table} ({error})", "the table of a shard cannot be read")
        return
    for reason, count in sorted(failed.items()):
        yield RecordProblem(str(table), reason, missing=True, count=count)
    if lost:
        why = "was downloaded, but is not in its shard"
        yield RecordProblem(f"{table}: {lost[0]}", why, count=len(lost))


def _table_rows(table: Path) -> Iterator[tuple[str, str, str]]:
    """Yield key, status and message of each row of img2dataset's table; of another one nothing."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(table) as file:
        columns = [name for name in ("key", "status", "error_message") if name in file.schema_arrow.names]
        if "status" not in columns:
            return
        for batch in file.iter_batches(8192, columns=columns):
            for row in batch.to_pylist():
                yield str(row.get("key") or ""), str(row["status"]), str(row.get("error_message") or "")


def _without_shard(tars: list[Path]) -> Iterator[RecordProblem]:
    """Yield the tables whose shard is not there, and what they say failed."""
    known = {tar.with_suffix("") for tar in tars}
    for folder in sorted({tar.parent for tar in tars}):
        for table in sorted(folder.glob("[0-9]*.parquet")):
            if table.with_suffix("") not in known:
                yield RecordProblem(str(table), "its shard is not there")
                yield from failed_downloads(table)


def _picture(sample: Sample, tar: str) -> ListedPicture | RecordProblem:
    where = f"{tar}: {sample.key}"
    if sample.media is None:
        return RecordProblem(where, "has no picture")
    if not sample.media[1]:
        return RecordProblem(where, "is empty (0 bytes)")
    try:
        told = read_texts(sample.texts)
    except SaysoError as error:
        return RecordProblem(where, str(error))
    return ListedPicture(sample.key, tar, told.captions, sample.media, told.url, told.original)


def _short(why: str) -> str:
    """Return a reason without its numbers, so that all of one kind count together."""
    return "its text is too large" if "too large" in why else why
