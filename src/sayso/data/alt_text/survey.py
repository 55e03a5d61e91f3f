"""The first pass of curation: every picture is read once, and what rules need is noted in parts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from sayso.core.errors import SaysoError
from sayso.core.progress import Progress
from sayso.data.alt_text.measure import Measured, measure
from sayso.data.alt_text.near_duplicates import TestSet, Thumbnail
from sayso.data.alt_text.parts import PART, Listed, Parts, Row
from sayso.data.alt_text.rules import MISSING, UNREADABLE, CurationRules, picture_rule, text_rule
from sayso.data.alt_text.scoring import PairEncoder, score_pairs
from sayso.data.listed_picture import ListedPicture
from sayso.data.manifest import printable
from sayso.data.problems import Problems, RecordProblem

_TOGETHER = 64  # pictures in memory at once


@dataclass(frozen=True, slots=True)
class Survey:
    """How pictures are measured.

    Args:
        rules: those that need one pair alone are applied.
        near: the test set that must not be in it.
        encoder: scores the pairs that those rules keep.
        workers: decoding threads.
    """

    rules: CurationRules
    near: TestSet | None = None
    encoder: PairEncoder | None = None
    workers: int | None = None

    def run(self, listed: Iterator[Listed], parts: Parts, progress: Progress) -> None:
        """Measure what is listed, but for the parts that are there.

        Args:
            listed: all records.
            parts: where rows are written.
            progress: updated with how many records are done.
        """
        with ThreadPoolExecutor(self.workers or os.cpu_count() or 1) as pool:
            for number, records in parts.resume(listed):
                rows: list[Row] = []
                for start in range(0, len(records), _TOGETHER):
                    rows += self._rows(records[start : start + _TOGETHER], pool)
                    progress.update(number * PART + min(start + _TOGETHER, len(records)))
                parts.write(number, records, rows)

    def _rows(self, records: Sequence[Listed], pool: ThreadPoolExecutor) -> list[Row]:
        """Return the rows of a few records, in their order."""
        pictures = [one for one in records if isinstance(one, ListedPicture)]
        side = self.encoder.clip.size if self.encoder else 0
        measured = list(pool.map(partial(measure, side=side, compared=self.near is not None), pictures))
        found = self._near_duplicates(measured)
        made = iter(
            [
                [_row(one, text, what, self._rule(text, what, near), near) for text in one.captions]
                for one, what, near in zip(pictures, measured, found, strict=True)
            ]
        )
        rows = [_problem_row(one) if isinstance(one, RecordProblem) else next(made) for one in records]
        groups = [group for one, group in zip(records, rows, strict=True) if isinstance(one, ListedPicture)]
        self._score(measured, groups)
        return [row for group in rows for row in group]

    def _rule(self, text: str, what: Measured, near: str | None) -> str:
        if what.reason:
            return UNREADABLE
        picture = picture_rule(what.width, what.height, self.rules)
        return picture or text_rule(text, self.rules) or ("test-set" if near else "")

    def _near_duplicates(self, measured: Sequence[Measured]) -> list[str | None]:
        if self.near is None:
            return [None] * len(measured)
        compared = [one.thumbnails[0] for one in measured if one.thumbnails]
        found = iter(self.near.find(np.stack(compared)) if compared else [])
        return [next(found) if one.thumbnails else None for one in measured]

    def _score(self, measured: Sequence[Measured], groups: Sequence[list[Row]]) -> None:
        """Note the scores of pairs that no rule has dropped yet."""
        if self.encoder is None:
            return
        left = [[row for row in group if not row["dropped_by"]] for group in groups]
        kept = [(one, rows) for one, rows in zip(measured, left, strict=True) if rows]
        flat = [(n, row) for n, (_, rows) in enumerate(kept) for row in rows]
        pictures = [one.picture for one, _ in kept if one.picture is not None]
        scores = score_pairs(self.encoder, pictures, [row["text"] for _, row in flat], [n for n, _ in flat])
        for (_, row), score in zip(flat, scores, strict=True):
            row["score"] = float(score)


def read_test_set(paths: Sequence[Path]) -> tuple[TestSet, Problems]:
    """Return the pictures of test sets, ready to be searched for, and those that cannot be.

    Args:
        paths: files of captions, folders of pictures, or whatever ``read_picture_pairs`` takes.

    Raises:
        SaysoError: if none of their pictures can be read.
    """
    problems = Problems()
    names: list[str] = []
    thumbnails: list[Thumbnail] = []
    for path in paths:
        for one in _test_pictures(path):
            if isinstance(one, RecordProblem):
                problems.add(replace(one, missing=False))
                continue
            found = measure(one, compared=True)
            if not found.thumbnails:
                why = f"a test picture, which cannot be searched for then, {found.reason}"
                problems.add(RecordProblem(one.name, why))
                continue
            names += [one.name] * len(found.thumbnails)
            thumbnails += found.thumbnails
    if not names:
        why = next(iter(problems.lines), "there is none")
        raise SaysoError(f"no picture of the test set {', '.join(map(str, paths))} can be read: {why}")
    return TestSet(names, np.stack(thumbnails)), problems


def _test_pictures(path: Path) -> Iterator[Listed]:
    from sayso.data.manifest import ListedFile
    from sayso.data.picture_sources import list_pictures
    from sayso.data.sources import walk_files
    from sayso.media import kind_of

    if path.is_dir() and not any(path.glob("*.tar")):
        for one in walk_files(os.path.abspath(path)):  # noqa: PTH100
            if isinstance(one, ListedFile) and kind_of(one.path) == "picture":
                yield ListedPicture(one.path, one.path, ("",))
        return
    for listed in list_pictures(path):
        if not (isinstance(listed, RecordProblem) and listed.reason in _NO_PICTURE_LOST):
            yield listed


_NO_PICTURE_LOST = ("its record in the file of captions is wrong", "its caption is empty")


def _row(one: ListedPicture, text: str, what: Measured, rule: str, near: str | None) -> Row:
    original = one.original or (None, None)
    storable = printable(one.path) == one.path
    return {
        "path": printable(one.path), "key": printable(one.key), "offset": one.part[0], "size": one.part[1],
        "text": text, "url": one.url, "width": what.width, "height": what.height,
        "original_width": original[0], "original_height": original[1], "content": what.content, "score": None,
        "near": near, "dropped_by": rule if storable else UNREADABLE,
        "why": what.reason or ("" if storable else "its file name is not UTF-8"), "count": 1,
    }  # fmt: skip


def _problem_row(problem: RecordProblem) -> list[Row]:
    rule = MISSING if problem.missing else UNREADABLE
    row = {"path": printable(problem.where), "dropped_by": rule, "why": printable(problem.reason)}
    return [{**row, "count": problem.count}]
