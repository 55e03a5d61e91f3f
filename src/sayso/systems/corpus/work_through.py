"""Several videos at once: a row of the ledger each, whatever became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from sayso.systems.corpus.ledger import LedgerRow
from sayso.systems.corpus.limits import HostLimits, Stopped
from sayso.systems.corpus.source import of_youtube
from sayso.systems.corpus.state import Waiting
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
