"""Searching for videos of each task, and which of them count: the second stage of a corpus.

The rules are the paper's: the first 200 results, at least 100 views, at most 2,000 s, in English. What a site
does not say is no reason to reject a video; it is noted. A video that several tasks find is kept once, with
its rank for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from sayso.core.progress import Progress, Silent
from sayso.systems.corpus.ledger import LedgerRow, Status
from sayso.systems.corpus.source import Found, SearchSource
from sayso.systems.corpus.state import CorpusState
from sayso.systems.corpus.web import GaveUp, GoneForGood, NotForPrograms
from sayso.text.language.languages import same_language


@dataclass(frozen=True, slots=True, kw_only=True)
class FindRules:
    """Which videos count.

    Args:
        top: results of a search that are looked at.
        min_views: a video has at least so many.
        max_s: a video lasts at most so long, seconds.
        language: that is spoken, ISO 639.
    """

    top: int = 200
    min_views: int = 100
    max_s: float = 2000.0
    language: str = "en"

    def judge(self, video: Found) -> tuple[Status, str]:
        """Return whether a video counts, and why not, or what of it is unknown."""
        unknown = []
        for name, value, wrong in (
            ("views", video.views, (video.views or 0) < self.min_views),
            ("duration", video.duration_s, (video.duration_s or 0) > self.max_s),
            ("language", video.languages, not any(map(self.speaks, video.languages or ()))),
        ):
            if value is None:
                unknown.append(name)
            elif wrong:
                return "rejected", name
        return "done", f"unknown: {', '.join(unknown)}" if unknown else ""

    def speaks(self, language: str) -> bool:
        """Tell whether a language, such as en-GB, is the one wanted."""
        return same_language(language, self.language)


def find_videos(
    state: CorpusState,
    source: SearchSource,
    rules: FindRules | None = None,
    *,
    named: str = "",
    retry: str | None = None,
    progress: Progress | None = None,
) -> None:
    """Search for the tasks that wait for it, and record which videos count.

    Args:
        state: of the corpus; without tasks, all that the source lists is taken.
        source: where to search.
        named: what the source is called: a task that was searched for in others is searched for here, too.
        rules: which videos count; videos that were found before are judged by them, too.
        retry: ``failed`` or ``gone``: searches that are so are made again.
        progress: updated with how many tasks are done.
    """
    rules, bar = rules or FindRules(), progress or Silent()
    titles = list(state.tasks(visual=True))
    for done, title in enumerate(titles):
        bar.update(done, len(titles), note=f"searching: {title}")
        before = state.row("search", title)
        asked = _asked(before, named)
        is_short = before is not None and before.status == "done" and (asked.get(named, 0) < rules.top)
        if before is None or named not in asked or before.status == retry or is_short:
            found = _search(state, source, rules, title)
            asked[named] = rules.top if found.status == "done" else 0
            state.record(replace(found, facts={**found.facts, "asked": asked}))
    if not state.task_counts()[0]:
        for video, task, rank in _listed(source):
            _add(state, rules, video, task, rank)
    for video, ranks, row in state.found():
        status, why = rules.judge(video)
        if (status, why) != (row.status, row.why):
            state.record(LedgerRow("find", video.id, status, why, facts=video.facts() | {"tasks": ranks}))


def _asked(before: LedgerRow | None, named: str) -> dict[str, int]:
    """Return how many results of each source were looked at for a task; 0 where it did not answer."""
    if before is None:
        return {}
    said = before.facts.get("asked")  # a row of an older version does not say where it searched
    return {named: before.facts.get("top", 0)} if said is None else dict(said)


def _search(state: CorpusState, source: SearchSource, rules: FindRules, title: str) -> LedgerRow:
    """Search for one task, record its videos, and return the search's own row, which comes last."""
    query = title if re.match(r"how\s+to\b", title, re.IGNORECASE) else f"how to {title}"
    facts = {"top": rules.top}
    try:
        count = 0
        for video in islice(source.search(query, rules.top), rules.top):
            count += 1
            _add(state, rules, video, title, count)
    except GoneForGood as error:
        return LedgerRow("search", title, "gone", str(error), 1, facts=facts)
    except NotForPrograms as error:
        return LedgerRow("search", title, "rejected", str(error), 1, facts=facts)
    except GaveUp as error:
        return LedgerRow("search", title, "failed", str(error), error.attempts, facts=facts)
    return LedgerRow(
        "search", title, "done", "" if count else "no results", 1, facts=facts | {"results": count}
    )


def _add(state: CorpusState, rules: FindRules, video: Found, task: str, rank: int) -> None:
    before = state.row("find", video.id)
    ranks = dict(before.facts["tasks"]) if before else {}
    best = min(rank, ranks.get(task, rank))
    status, why = rules.judge(video)
    facts = video.facts() | {"tasks": ranks | {task: best}}
    state.record(LedgerRow("find", video.id, status, why, facts=facts))


def _listed(source: SearchSource) -> Iterator[tuple[Found, str, int]]:
    """Yield all that a source lists, with task and rank."""
    from sayso.systems.corpus.catalogue import Catalogue

    if isinstance(source, Catalogue):
        yield from source.everything()
