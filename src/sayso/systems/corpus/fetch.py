"""Fetching the videos, each once: the fourth stage of a corpus.

A video comes under a temporary name, is checked (its length, and that it is all of a video), and is renamed.
What stands under its name is never asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sayso.systems.corpus.ledger import LedgerRow
from sayso.systems.corpus.limits import HostLimits, Manners
from sayso.systems.corpus.state import Waiting
from sayso.systems.corpus.storage import VideoFiles, video_files
from sayso.systems.corpus.video_site import VideoSite
from sayso.systems.corpus.work_through import sites, work_through


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPlan:
    """How videos are fetched.

    Args:
        to: a folder, or ``s3://bucket/name``.
        height: pixels, at most.
        manners: how a site is asked by each process; where several fetch, divide ``per_host`` among them.
        record: file of what hosts said of waiting.
    """

    to: str
    height: int = 360
    manners: Manners = field(default_factory=Manners)
    record: Path | None = None


def fetch_videos(
    videos: Sequence[Waiting], plan: FetchPlan, limits: HostLimits | None = None
) -> Iterator[LedgerRow]:
    """Fetch some videos and yield a row each. It can be pickled and run anywhere; whoever calls records.

    Args:
        videos: which.
        plan: how.
        limits: shared with others; its own otherwise.
    """
    limits = limits or HostLimits(plan.manners, plan.record)
    site_of, files = sites(limits), video_files(plan.to)
    yield from work_through(
        "fetch", videos, lambda one: _one(one, site_of(one.video.url), files, plan.height), limits
    )


def _one(waiting: Waiting, site: VideoSite, files: VideoFiles, height: int) -> LedgerRow:
    key, attempts = waiting.video.id, 0
    offered = [(str(url), int(tall)) for url, tall in waiting.facts["media"]]
    size = files.size(key)
    if size is None:
        attempts = files.put(key, lambda path: site.save(waiting.video, offered, path, height))
        size = files.size(key)
    return LedgerRow("fetch", key, "done", "", attempts, facts={"at": files.place(key), "bytes": size})
