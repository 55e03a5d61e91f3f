"""The rows of the word alignment as compiled loops (the ``fast`` extra), as ``word_alignment`` says."""

from __future__ import annotations

from typing import Any

import numpy as np

from sayso.core.compiled import WorthCompiling, loop
from sayso.solvers.word_moves import SPLIT

NO_TABLE = np.zeros((0, 0), np.int32)
worth_compiling = WorthCompiling(500_000)  # cells of the table, which numpy takes about 50 ms for

_TABLES = "UniTuple(int32[::1], 12)"


@loop(f"void(int64, int64, int64, int32[::1], int32[:, ::1], {_TABLES})")
def fill_rows(first: Any, last: Any, low: Any, score: Any, table: Any, tables: Any) -> None:
    """Advance ``score`` in place over some rows; keep every row in ``table`` if it has any.

    Args:
        first: row.
        last: the row after the last.
        low: column of the first entry of ``score``.
        score: (W,) F after the rows before ``first``.
        table: (last - first + 1, W), whose first row is not written; or (0, 0).
        tables: ``MoveTables``, as a plain tuple.
    """
    word, starts, columns, worth, before_b, after_b, before_a, after_a = tables[:8]
    split_starts, splits, merge_starts, merges = tables[8:]
    high = low + len(score) - 1
    old, older = score.copy(), score.copy()
    for row in range(first, last):
        older, old = old, older
        old[:] = score
        lowest, highest = len(score), -1
        begin, end = starts[word[row]], starts[word[row] + 1]
        begin += np.searchsorted(columns[begin:end], low)
        for at in range(begin, end):
            column = columns[at]
            if column >= high:
                break
            value = worth[at] + (before_b[at] == before_a[row]) + (after_b[at] == after_a[row])
            j = column - low + 1
            score[j] = max(score[j], old[j - 1] + value)
            lowest, highest = min(lowest, j), max(highest, j)
        for at in range(split_starts[row], split_starts[row + 1]):
            j = splits[at] - low
            if j >= 0 and splits[at] + 2 <= high:
                score[j + 2] = max(score[j + 2], old[j] + SPLIT)
                lowest, highest = min(lowest, j + 2), max(highest, j + 2)
        if row > first:
            for at in range(merge_starts[row], merge_starts[row + 1]):
                j = merges[at] - low
                if j >= 0 and merges[at] + 1 <= high:
                    score[j + 1] = max(score[j + 1], older[j] + SPLIT)
                    lowest, highest = min(lowest, j + 1), max(highest, j + 1)
        for j in range(lowest + 1, len(score)):
            if score[j] < score[j - 1]:
                score[j] = score[j - 1]
            elif j > highest:
                break
        if len(table):
            table[row - first + 1] = score


@loop(f"UniTuple(int64, 2)(int64, int64, int64, int32[:, ::1], int64[:, ::1], {_TABLES})")
def walk_rows(first: Any, low: Any, column: Any, table: Any, found: Any, tables: Any) -> Any:
    """Walk back over some rows; return how many pairs were written, last pairs first, and the column reached.

    Args:
        first: row after which the table begins.
        low: column of its first entry.
        column: to begin at.
        table: (rows + 1, W) of F.
        found: (M, 2) of row and column, written.
        tables: ``MoveTables``, as a plain tuple.
    """
    word, starts, columns, worth, before_b, after_b, before_a, after_a = tables[:8]
    split_starts, splits = tables[8:10]
    at, many = len(table) - 1, 0
    while at > 0:
        here, above = table[at], table[at - 1]
        value = here[column - low]
        if above[column - low] == value:
            at -= 1
            continue
        column = low + np.searchsorted(here, value)
        row = first + at - 1
        begin, end = starts[word[row]], starts[word[row] + 1]
        k = begin + np.searchsorted(columns[begin:end], column - 1)
        if k < end and columns[k] == column - 1:
            pair = worth[k] + (before_b[k] == before_a[row]) + (after_b[k] == after_a[row])
            if above[column - 1 - low] + pair == value:
                found[many] = row, column - 1
                many, column, at = many + 1, column - 1, at - 1
                continue
        found[many] = row, column - 1
        k = split_starts[row] + np.searchsorted(splits[split_starts[row] : split_starts[row + 1]], column - 2)
        is_split = k < split_starts[row + 1] and splits[k] == column - 2
        if is_split and above[column - 2 - low] + SPLIT == value:
            found[many + 1] = row, column - 2
            many, column, at = many + 2, column - 2, at - 1
        else:
            found[many + 1] = row - 1, column - 1
            many, column, at = many + 2, column - 1, at - 2
    return many, column
