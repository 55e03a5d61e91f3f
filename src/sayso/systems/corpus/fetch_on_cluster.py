"""Fetching videos on a Ray cluster: workers save them where all see them, the driver keeps the ledger.

All workers together keep the limits of each host, whose turns one keeper gives, and there are never more
requests at once than one machine would make.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sayso.core.errors import SaysoError
from sayso.engine.ray_extract import TRIES, ray_cluster, run_on_ray, worker_count
from sayso.systems.corpus.fetch import FetchPlan, fetch_videos
from sayso.systems.corpus.ledger import LedgerRow
from sayso.systems.corpus.state import Waiting
from sayso.systems.corpus.turns import SharedLimits, TurnKeeper

log = logging.getLogger(__name__)

FETCHED_TOGETHER = 16
"""Videos of a shard: few, as a shard whose worker died asks again for those of it that cannot be had."""


@dataclass(frozen=True, slots=True)
class KeeperOnRay:
    """A keeper of turns that is an actor; see ``Turns``.

    Args:
        actor: its handle, which pickles.
    """

    actor: Any

    def ask(self, host: str, holder: str) -> float:
        """Take the turn of a host; return 0, or after how many seconds to ask again."""
        return float(self._call("ask", host, holder))

    def end(self, host: str, holder: str) -> None:
        """Give a turn back."""
        self._call("end", host, holder)

    def refused(self, host: str, retry_after: str | None) -> None:
        """Note within a turn that a host wants to be left alone."""
        self._call("refused", host, retry_after)

    def answered(self, host: str) -> None:
        """Note within a turn that a host answered."""
        self._call("answered", host)

    def _call(self, what: str, *said: object) -> Any:
        import ray

        return ray.get(getattr(self.actor, what).remote(*said))


@dataclass(frozen=True, slots=True)
class _Begin:
    """What a worker starts with."""

    plan: FetchPlan
    keeper: KeeperOnRay

    def __call__(self) -> Callable[[Sequence[Waiting]], list[LedgerRow] | str]:
        return self._fetch

    def _fetch(self, videos: Sequence[Waiting]) -> list[LedgerRow] | str:
        """Return a row a video, or the sentence that ends the run."""
        try:
            return list(fetch_videos(videos, self.plan, SharedLimits(self.plan.manners, self.keeper)))
        except SaysoError as error:
            return str(error)


def fetch_on_cluster(
    batches: Callable[[Callable[[Sequence[Waiting]], Iterator[LedgerRow]]], None],
    plan: FetchPlan,
    address: str | None = None,
) -> None:
    """Fetch videos on a cluster.

    Args:
        batches: calls what it is given with some videos at a time, and records the rows.
        plan: how; its limits hold for the whole cluster.
        address: of the Ray cluster; None: one of this machine's cores.

    Raises:
        SaysoError: if the cluster cannot be reached, or videos cannot be written.
    """
    with ray_cluster(address) as ray:
        workers = min(worker_count(ray), plan.manners.at_once)
        keeper = ray.remote(num_cpus=0)(TurnKeeper).remote(plan.manners, plan.record)
        share = replace(plan.manners, at_once=plan.manners.at_once // workers)
        begin = _Begin(replace(plan, manners=share), KeeperOnRay(keeper))

        def rows_of(videos: Sequence[Waiting]) -> Iterator[LedgerRow]:
            pieces = [
                tuple(videos[k : k + FETCHED_TOGETHER]) for k in range(0, len(videos), FETCHED_TOGETHER)
            ]
            for done in run_on_ray(pieces, begin, actors=workers):
                if isinstance(done.result, str):
                    raise SaysoError(done.result)
                if done.result is None:
                    log.warning("%d videos were not fetched: %s", len(done.work), done.error)
                yield from _lost(done.work) if done.result is None else done.result

        batches(rows_of)


def _lost(videos: Sequence[Waiting]) -> Iterator[LedgerRow]:
    for waiting in videos:
        yield LedgerRow("fetch", waiting.video.id, "failed", "its worker failed", TRIES)
