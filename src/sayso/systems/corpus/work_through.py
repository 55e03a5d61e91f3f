"""Several videos at once: a row of the ledger each, whatever became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from sayso.core.progress import Progress, Silent
from sayso.systems.corpus.ledger import LedgerRow
from sayso.systems.corpus.limits import HostLimits, Stopped
from sayso.systems.corpus.source import of_youtube
from sayso.systems.corpus.state import CorpusState, Waiting
from sayso.systems.corpus.video_site import OrdinarySite, VideoSite
from sayso.systems.corpus.web import GaveUp, GoneForGood, NotForPrograms, Web
from sayso.systems.corpus.youtube import YtDlp


def sites(limits: HostLimits) -> Callable[[str], VideoSite]:
    """Return what gives the site of an address; yt-dlp is needed for YouTube's alone."""
    web = Web(limits)
    made: dict[bool, VideoSite] = {}

    def site_of(url: str) -> VideoSite:
        known = of_youtube(url)
        if known not in made:
            made[known] = YtDlp(web) if known else OrdinarySite(web)
        return made[known]

    return site_of


def work_through(
    stage: str, videos: Sequence[Waiting], work: Callable[[Waiting], LedgerRow], limits: HostLimits
) -> Iterator[LedgerRow]:
    """Yield a row a video, as they are done; what a site does not give becomes a row, too.

    Args:
        stage: of the rows.
        videos: which.
        work: returns the row of one.
        limits: say how many at once; where this ends early, they stop those at work.
    """

    def one(waiting: Waiting) -> LedgerRow | None:
        key = waiting.video.id
        try:
            return work(waiting)
        except GoneForGood as error:
            return LedgerRow(stage, key, "gone", str(error), 1)
        except NotForPrograms as error:
            return LedgerRow(stage, key, "rejected", str(error), 1)
        except GaveUp as error:
            return LedgerRow(stage, key, "failed", str(error), error.attempts)
        except Stopped:
            return None

    with ThreadPoolExecutor(limits.manners.at_once) as pool:
        waiting = [pool.submit(one, video) for video in videos]
        try:
            for future in as_completed(waiting):
                if row := future.result():
                    yield row
        except BaseException:
            limits.stop.set()
            for future in waiting:
                future.cancel()
            raise


def record_all(
    state: CorpusState,
    stage: str,
    rows_of: Callable[[Sequence[Waiting]], Iterator[LedgerRow]],
    *,
    retry: str | None = None,
    progress: Progress | None = None,
) -> None:
    """Work through all videos that wait for a stage, and record what became of each.

    Args:
        state: of the corpus.
        stage: which.
        rows_of: yields a row a video of some videos.
        retry: ``failed`` or ``gone``: videos that are so are asked for again.
        progress: updated with how many videos are done.
    """
    progress = progress or Silent()
    total, done = state.count_waiting(stage, retry), 0
    for videos in state.waiting(stage, retry):
        for row in rows_of(videos):
            state.record(row)
            done += 1
            progress.update(done, total, note=f"{stage}: {row.key}")
