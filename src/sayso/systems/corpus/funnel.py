"""The funnel of a corpus: how many titles, videos and clips are left after each stage, and why not more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sayso.core.counted import counted
from sayso.systems.corpus.captions import SILENT
from sayso.systems.corpus.ledger import LedgerRow
from sayso.systems.corpus.state import CorpusState

STAGES = {"find": "found", "captions": "captioned", "fetch": "fetched", "build": "built"}
SHOWN = 10


@dataclass(frozen=True, slots=True)
class StageCount:
    """What became of the videos at a stage.

    Args:
        done: how many went on.
        notes: of these, how many by what is noted of them.
        lost: how many did not, by status and reason.
    """

    done: int = 0
    notes: dict[str, int] = field(default_factory=dict)
    lost: dict[str, dict[str, int]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, ready for JSON."""
        return {"done": self.done, "notes": self.notes, **self.lost}


@dataclass(frozen=True, slots=True)
class Funnel:
    """The counts of a corpus.

    Args:
        titles: how many there are.
        visual: how many of them can be seen.
        search: what became of their searches.
        stages: what became of the videos, by stage.
        silent: fetched videos without captions, for which ``sayso transcribe`` has not written any yet.
        clips: pairs of a clip and a caption.
        failures: the first rows that failed.
    """

    titles: int
    visual: int
    search: StageCount
    stages: dict[str, StageCount]
    silent: int
    clips: int
    failures: tuple[LedgerRow, ...] = ()

    @property
    def failed(self) -> int:
        """How many failed, at all stages."""
        return sum(sum(one.lost.get("failed", {}).values()) for one in (self.search, *self.stages.values()))

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, ready for JSON."""
        stages = {STAGES[name]: one.to_dict() for name, one in self.stages.items()}
        return {
            "titles": self.titles,
            "visual": self.visual,
            "searched": self.search.to_dict(),
            **stages,
            "silent": self.silent,
            "clips": self.clips,
        }

    def lines(self) -> list[str]:
        """Return the counts as lines of text."""
        rows = [("titles", self.titles, ""), ("visual", self.visual, "")] if self.titles else []
        rows += [("searched", self.search.done, _told(self.search))] if self.titles else []
        rows += [(STAGES[name], one.done, _told(one)) for name, one in self.stages.items()]
        waiting = counted(self.silent, "silent video waits", "silent videos wait")
        to_hear = f"{waiting} for: sayso transcribe" if self.silent else ""
        rows.append(("clips", self.clips, to_hear))
        return [f"{name:10} {count:>11,}   {why}".rstrip() for name, count, why in rows]

    def failure_lines(self) -> list[str]:
        """Return the first failures in sentences, and how many there are more."""
        lines = [
            f"failed: {row.key} at {row.stage}, {counted(row.attempts, 'attempt')}: {row.why}"
            for row in self.failures
        ]
        more = self.failed - len(lines)
        return [*lines, *([f"{more:,} more; try again with --retry failed"] if more > 0 else [])]


def read_funnel(state: CorpusState) -> Funnel:
    """Return the counts of a corpus."""
    counted = state.counts()
    titles, visual = state.task_counts()
    stages = {name: _stage(row for row in counted if row[0] == name) for name in STAGES}
    clips = sum(row[4] for row in counted if row[0] == "build" and row[1] == "done")
    return Funnel(
        titles,
        visual,
        _stage(row for row in counted if row[0] == "search"),
        stages,
        state.count_silent(),
        clips,
        tuple(state.failures(SHOWN)),
    )


def _stage(rows: Iterable[tuple[str, str, str, int, int]]) -> StageCount:
    done, notes, lost = 0, dict[str, int](), dict[str, dict[str, int]]()
    for stage, status, why, count, _ in rows:
        if status == "done":
            done += 0 if (stage, why) == ("captions", SILENT) else count
            if why:
                notes[why] = count
        else:
            lost.setdefault(status, {})[why] = count
    return StageCount(done, notes, lost)


def _told(one: StageCount) -> str:
    """Return the reasons with their counts."""
    parts = [f"{count:,} {why}" for why, count in one.notes.items()]
    for status, reasons in one.lost.items():
        told = [f"{count:,} {why}" for why, count in reasons.items()]
        alone = next(iter(reasons)) if len(reasons) == 1 else ", ".join(told)
        parts.append(f"{sum(reasons.values()):,} {status} ({alone})")
    return "; ".join(parts)
