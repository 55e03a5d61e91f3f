"""Work spread over a Ray cluster: pieces go to actors by name, and what comes back is small.

An actor loads what it needs once and then does one piece after the other, in one thread of its own; it runs
the same pipeline as a single machine does and gives no frame to Ray. Each takes half a core of Ray's count:
actors that take all of it leave nothing for anything else to be placed, and Ray then waits for ever.
A piece whose actor dies goes to a new one, three times at most.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from traceback import walk_tb
from typing import Any, Generic, TypeVar

from sayso.core.errors import SaysoError
from sayso.core.lazy import need

EXTRA = "cluster"
SHARE = 0.5
TRIES = 3
W = TypeVar("W")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Done(Generic[W, R]):
    """A piece of work that is done, or (``error``) that could not be done."""

    work: W
    result: R | None
    error: str | None = None


def run_on_ray(
    pieces: Sequence[W],
    begin: Callable[[], Callable[[W], R]],
    *,
    address: str | None = None,
    actors: int | None = None,
) -> Iterator[Done[W, R]]:
    """Do pieces of work on a cluster; yield each once it is done, in any order.

    Args:
        pieces: what to do; they are pickled.
        begin: called once in each actor, returns what does a piece; it is pickled.
        address: of the cluster, as Ray has it; None: one of this machine's cores, for this run.
        actors: how many; None: one a core of the cluster.

    Raises:
        SaysoError: if the cluster cannot be reached, or an actor cannot begin.
        MissingExtra: if Ray is not installed.
    """
    with ray_cluster(address) as ray:
        yield from _Pool(ray, begin, min(actors or worker_count(ray), len(pieces))).run(pieces)


def worker_count(ray: Any) -> int:
    """Return how many workers a cluster has room for: one a core."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


@contextlib.contextmanager
def ray_cluster(address: str | None = None) -> Iterator[Any]:
    """Give Ray, connected to a cluster; one that was connected before stays so.

    Args:
        address: of the cluster, as Ray has it; None: one of this machine's cores, until the block ends.

    Raises:
        SaysoError: if the cluster cannot be reached.
        MissingExtra: if Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = need("ray", EXTRA)
    ours = not ray.is_initialized()
    if ours:
        _start(ray, address)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # Ray prints there of workers that died
            yield ray
    finally:
        if ours:
            ray.shutdown()


def _start(ray: Any, address: str | None) -> None:
    """Connect to a cluster, or start one; on a busy machine Ray may not wait long enough for itself."""
    for left in reversed(range(1 if address else TRIES)):
        try:
            with warnings.catch_warnings():  # Lance warns of forks; Ray's run another program at once
                warnings.filterwarnings("ignore", message="lancedb fork support|lance is not fork-safe")
                dashboard = None if address else False
                ray.init(address, include_dashboard=dashboard, log_to_driver=False, logging_level="ERROR")
        except Exception as error:  # plain ones too
            _end_processes(error)
            ray.shutdown()
            if not left:
                raise SaysoError(
                    f"the Ray cluster {address or 'local'} cannot be reached: {error}"
                ) from error
        else:
            return


def _end_processes(error: Exception) -> None:
    """End the processes of a node that could not start: Ray forgets them, and they slow the next try."""
    for frame, _ in walk_tb(error.__traceback__):
        end = getattr(frame.f_locals.get("self"), "kill_all_processes", None)
        if end is not None:
            end(check_alive=False, allow_graceful=False, wait=True)


class CannotBeginError(Exception):
    """A worker lacks what every piece needs, such as the model."""


class _Actor:
    """What runs in a process of the cluster."""

    def __init__(self, begin: Callable[[], Callable[[Any], Any]]) -> None:
        self.begin = begin
        self.work: Callable[[Any], Any] | None = None

    def do(self, piece: Any) -> Any:
        if self.work is None:
            try:
                self.work = self.begin()
            except SaysoError as error:
                raise CannotBeginError(str(error)) from error
        return self.work(piece)


class _Pool:
    def __init__(self, ray: Any, begin: Callable[[], Callable[[Any], Any]], count: int) -> None:
        self.ray, self.begin, self.count = ray, begin, count
        self.kind = ray.remote(num_cpus=SHARE, max_restarts=0, max_task_retries=0)(_Actor)

    def run(self, pieces: Sequence[W]) -> Iterator[Done[W, Any]]:
        """Give each actor one piece at a time."""
        waiting = deque((piece, 1) for piece in pieces)
        idle = [self.kind.remote(self.begin) for _ in range(self.count)]
        under_way: dict[Any, tuple[Any, W, int]] = {}
        while waiting or under_way:
            while idle and waiting:
                actor, (piece, tries) = idle.pop(), waiting.popleft()
                under_way[actor.do.remote(piece)] = (actor, piece, tries)
            (ready, *_), _ = self.ray.wait(list(under_way), num_returns=1)
            actor, piece, tries = under_way.pop(ready)
            try:
                result = self.ray.get(ready)
            except self.ray.exceptions.RayActorError as error:
                idle.append(self.kind.remote(self.begin))
                if tries < TRIES:
                    waiting.append((piece, tries + 1))
                else:
                    yield Done(piece, None, f"{TRIES} workers died of it: {error}")
            except self.ray.exceptions.RayTaskError as error:
                if isinstance(error.cause, CannotBeginError):
                    raise SaysoError(str(error.cause)) from error
                idle.append(actor)
                yield Done(piece, None, str(error.cause))
            else:
                idle.append(actor)
                yield Done(piece, result)
