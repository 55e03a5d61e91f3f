"""Curation of captioned pictures from the web: which pairs to learn from, and which rule dropped the others.

Three passes, none of which holds more than a few thousand pairs: every picture is read once (``survey``; a
kill loses at most one part of 4,096 records); what needs the whole corpus is counted (``corpus_rules``); the
result is written. The same corpus, rules and seed give the same file.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.core.io import atomic_file
from sayso.core.ownership import claim_folder, refuse_foreign
from sayso.core.progress import Progress, Silent
from sayso.data.alt_text.corpus_rules import CorpusRules
from sayso.data.alt_text.names import read_names
from sayso.data.alt_text.near_duplicates import TestSet
from sayso.data.alt_text.parts import Parts, Row, schema
from sayso.data.alt_text.rules import DATACOMP, MISSING, RULES, UNREADABLE, CurationRules, check_rules
from sayso.data.alt_text.scoring import PairEncoder
from sayso.data.alt_text.survey import Survey, read_test_set
from sayso.data.picture_sources import list_pictures
from sayso.data.problems import Problems, RecordProblem

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)
_FORM = 1


@dataclass(frozen=True, slots=True)
class CurationResult:
    """What curation did.

    Args:
        out: the file: a row a pair, with the rule that dropped it.
        dropped: how many pairs each rule dropped, in the order of the rules.
        kept: how many pairs are left.
        pictures: of how many pictures.
        problems: what is broken or missing, by reason.
    """

    out: Path
    dropped: dict[str, int]
    kept: int
    pictures: int
    problems: Problems

    @property
    def total(self) -> int:
        """How many pairs there were, those that could not be read among them."""
        return self.kept + sum(self.dropped.values())

    def table(self) -> list[str]:
        """Return the counts as lines of text."""
        rows = [("kept", self.kept, f"pairs, of {self.pictures:,} pictures")]
        rows += [(rule, count, RULES[rule]) for rule, count in self.dropped.items()]
        share = max(self.total, 1)
        lines = [f"{name:14} {n:>13,} {n / share:>7.1%}  {what}" for name, n, what in rows]
        return [*lines, f"{'all':14} {self.total:>13,} {1:>7.1%}"]

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, ready for JSON."""
        problems = [
            {"reason": one.reason, "count": one.count, "missing": one.missing, "path": one.where}
            for one in self.problems
        ]
        counts = {"total": self.total, "kept": self.kept, "pictures": self.pictures}
        return {"out": str(self.out), **counts, "dropped": self.dropped, "problems": problems}


def curate(
    corpus: str | os.PathLike[str],
    out: str | os.PathLike[str],
    rules: CurationRules = DATACOMP,
    *,
    images: Path | None = None,
    not_in: Sequence[Path] = (),
    names: Path | None = None,
    encoder: PairEncoder | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> CurationResult:
    """Write which pairs of a corpus to learn from; ``read_picture_pairs`` reads the file.

    What was surveyed before an interrupt or a kill is kept beside ``out``, and the same call goes on.

    Args:
        corpus: whatever ``read_picture_pairs`` takes.
        out: the ``.parquet`` to write: a row a pair, ``dropped_by`` the rule that dropped it.
        rules: which rules.
        images: folder of the pictures, for a ``.json`` and a ``.tsv``, if they are not beside it.
        not_in: test sets, whose pictures and what is nearly one of them must not be in it.
        names: a file of names to balance by, one a line.
        encoder: gives every pair a score.
        workers: decoding threads; one a core unless given.
        progress: updated with how many records are done.

    Raises:
        SaysoError: if nothing is there, a rule cannot be applied, or ``out`` cannot be written.
    """
    source, target = Path(corpus).expanduser(), Path(out).expanduser().absolute()
    refuse_foreign(target)
    check_rules(rules, scored=encoder is not None)
    listed = read_names(names) if names else None
    near, unsearched = read_test_set(not_in) if not_in else (None, Problems())
    records = list_pictures(source, images)
    work = target.with_name(f".{target.name}.work")  # hidden: the corpus may lie here too
    claim_folder(work, "curate")
    parts = Parts(work, _plan(source, images, rules, near, encoder))
    Survey(rules, near, encoder, workers).run(records, parts, progress or Silent())
    folder = Path(tempfile.mkdtemp(prefix="count-", dir=work))
    try:
        result = _write(target, CorpusRules(parts, rules, listed, folder), unsearched)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    parts.remove()
    return result


def _plan(
    source: Path,
    images: Path | None,
    rules: CurationRules,
    near: TestSet | None,
    encoder: PairEncoder | None,
) -> dict[str, Any]:
    """Return all that decides what a survey notes."""
    compared = hashlib.sha256(near.thumbnails.tobytes()).hexdigest() if near else None
    places = {"corpus": str(source.absolute()), "images": str(images) if images else None}
    scored = encoder.sha256 if encoder else None
    return {"form": _FORM, **places, "rules": repr(asdict(rules)), "not_in": compared, "encoder": scored}


def _write(target: Path, rules: CorpusRules, problems: Problems) -> CurationResult:
    """Write all pairs with the rules that dropped them; count these, and add to the problems.

    Args:
        target: the file.
        rules: what decides.
        problems: those so far.
    """
    import pyarrow.parquet as pq

    counts, kept, pictures = Counter[str](), 0, 0
    last: tuple[str, int | None] | None = None
    last_kept = last
    with atomic_file(target) as file, pq.ParquetWriter(file, schema()) as writer:
        for table, dropped in rules.decided():
            rows = table.select(["path", "offset", "key", "size", "why", "count"]).to_pylist()
            for row, rule in zip(rows, dropped, strict=True):
                place = (row["path"], row["offset"])
                new, last = place != last or row["offset"] is None, place
                if not rule:
                    kept += 1
                    pictures += place != last_kept
                    last_kept = place
                    continue
                counts[rule] += row["count"]
                if new and rule in (UNREADABLE, MISSING):
                    problems.add(RecordProblem(_where(row), row["why"], rule == MISSING, row["count"]))
            writer.write_table(_final(table, dropped, target.parent))
    in_order = {rule: counts[rule] for rule in RULES if counts[rule]}
    return CurationResult(target, in_order, kept, pictures, problems)


def _where(row: Row) -> str:
    """Return what to call a pair in messages: its file, or the archive and its name in it."""
    return f"{row['path']}: {row['key']}" if (row["size"] or -1) >= 0 else str(row["path"])


def _final(table: pa.Table, dropped: list[str], folder: Path) -> pa.Table:
    """Return a part as it is written: with the last word on each pair, and paths relative to the file."""
    import pyarrow as pa

    above = f"{folder}{os.sep}"
    paths = [path.removeprefix(above) for path in table["path"].to_pylist()]
    rules = pa.array([rule or None for rule in dropped], pa.string())
    table = table.set_column(table.schema.get_field_index("dropped_by"), "dropped_by", rules)
    table = table.set_column(table.schema.get_field_index("path"), "path", pa.array(paths, pa.string()))
    return table.select(schema().names).cast(schema())
