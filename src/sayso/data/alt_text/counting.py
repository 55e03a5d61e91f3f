"""Counting by keys in bounded memory: records are spread over files by key, and counted file by file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

_RECORD = np.dtype([("key", "<u8"), ("value", "<u8"), ("row", "<i8")])
_BUCKETS = 64
_MOST = 1_000_000
_MIX = np.uint64(0x9E3779B97F4A7C15)

Keys = NDArray[np.uint64]
RowNumbers = NDArray[np.int64]


class KeyCounter:
    """Counts, for each row, how many different values its key has among all rows.

    Args:
        folder: an empty folder to spread over; 24 bytes a record.
        name: the beginning of the files' names.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._paths = [folder / f"{name}-{bucket:02d}.bin" for bucket in range(_BUCKETS)]
        self._files: list[IO[bytes] | None] = [None] * _BUCKETS
        self.records = 0

    def add(self, keys: Keys, values: Keys, rows: RowNumbers) -> None:
        """Add records.

        Args:
            keys: (N,) uint64, what is counted by.
            values: (N,) uint64, what is counted.
            rows: (N,) int64, whom the count is for.
        """
        records = np.empty(len(keys), _RECORD)
        records["key"], records["value"], records["row"] = keys, values, rows
        bucket = ((keys * _MIX) >> np.uint64(58)).astype(np.int64)
        order = np.argsort(bucket, kind="stable")
        ends = np.cumsum(np.bincount(bucket, minlength=_BUCKETS))
        for b, part in enumerate(np.split(records[order], ends[:-1])):
            if len(part):
                self._file(b).write(part.tobytes())
        self.records += len(keys)

    def _file(self, bucket: int) -> IO[bytes]:
        file = self._files[bucket]
        if file is None:
            file = self._files[bucket] = self._paths[bucket].open("wb")
        return file

    def counts(self) -> Iterator[tuple[RowNumbers, NDArray[np.int64]]]:
        """Yield rows (n,) and, for each, the number (n,) of different values of its key; file by file."""
        for records in self._buckets():
            order = np.lexsort((records["value"], records["key"]))
            keys, values = records["key"][order], records["value"][order]
            new_key = np.r_[True, keys[1:] != keys[:-1]]
            new_value = new_key | np.r_[True, values[1:] != values[:-1]]
            group = np.cumsum(new_key) - 1
            yield records["row"][order], np.bincount(group, new_value).astype(np.int64)[group]

    def frequencies(self) -> NDArray[np.int64]:
        """Return h: h[c] keys have c different values, for c up to a million; more count as a million."""
        found = np.zeros(_MOST + 1, np.int64)
        for records in self._buckets():
            pairs = np.unique(records[["key", "value"]])
            _, counts = np.unique(pairs["key"], return_counts=True)
            np.add.at(found, np.minimum(counts, _MOST), 1)
        return found

    def close(self) -> None:
        """Delete the files."""
        for path, file in zip(self._paths, self._files, strict=True):
            if file is not None:
                file.close()
                path.unlink(missing_ok=True)

    def _buckets(self) -> Iterator[NDArray[np.void]]:
        for path, file in zip(self._paths, self._files, strict=True):
            if file is not None:
                file.flush()
                yield np.fromfile(path, _RECORD)
