"""One keeper of turns for workers on many machines: on a clock nobody waits for, then against a site."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from itertools import pairwise

import pytest

from sayso.systems.corpus import CorpusOptions, Manners, open_corpus, run_corpus
from sayso.systems.corpus.fetch import fetch_videos
from sayso.systems.corpus.limits import Stopped
from sayso.systems.corpus.turns import ASK_AGAIN_S, LEASE_TIMEOUTS, SharedLimits, TurnKeeper
from video_host import MIN_WORDS, make_videos, serving_videos


class Clock:
    at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.mark.parametrize("seed", range(5))
def test_turns_of_a_host_never_overlap_and_keep_their_distance(seed):
    rng, clock = random.Random(seed), Clock()
    manners = Manners(per_host=4, timeout_s=3, wait_s=0.5)
    keeper = TurnKeeper(manners, clock=clock)
    taken: list[tuple[float, float]] = []  # when a turn began, and when it was over for others
    shut, holding = 0.0, {}
    for turn in range(4000):
        clock.at += rng.expovariate(40)
        worker = rng.randrange(6)
        if worker in holding:
            name, began = holding.pop(worker)
            if rng.random() < 0.02:
                taken.append((began, began + LEASE_TIMEOUTS * manners.timeout_s))  # it died
                continue
            if rng.random() < 0.1:
                asked = rng.choice([None, "2"])
                keeper.refused("a", asked)
                shut = max(shut, clock.at + (float(asked) if asked else manners.wait_s))
            else:
                keeper.answered("a")
            taken.append((began, clock.at))
            keeper.end("a", name)
            keeper.end("a", name)  # twice does no harm
        elif not (wait := keeper.ask("a", f"{worker}-{turn}")):
            assert clock.at >= shut
            holding[worker] = f"{worker}-{turn}", clock.at
        else:
            assert wait == ASK_AGAIN_S or clock.at + wait > clock.at
    assert len(taken) > 50
    for (one, over), (other, _) in pairwise(sorted(taken)):
        assert other >= min(over, one + LEASE_TIMEOUTS * manners.timeout_s) - 1e-6
        assert other - one >= 1 / manners.per_host - 1e-6
    assert keeper.ask("b", "x") == 0.0  # another host waits for nobody


def test_what_a_host_asked_for_outlives_the_keeper(tmp_path):
    clock = Clock()
    keeper = TurnKeeper(Manners(), tmp_path / "hosts.json", clock)
    assert keeper.ask("a", "one") == 0.0
    keeper.refused("a", "300")
    later = TurnKeeper(Manners(), tmp_path / "hosts.json", clock)
    assert later.ask("a", "other") == pytest.approx(300)
    clock.at += 301
    assert later.ask("a", "other") == 0.0


class OneAtATime:
    """A keeper as an actor is reached: one call after the other, from any thread."""

    def __init__(self, keeper: TurnKeeper) -> None:
        self.keeper, self.lock = keeper, threading.Lock()

    def __getattr__(self, name):
        def call(*said):
            with self.lock:
                return getattr(self.keeper, name)(*said)

        return call


def test_workers_that_share_a_keeper_fetch_all_and_wait_as_the_site_asks(tmp_path):
    videos = make_videos(tmp_path, ["Peel Garlic"], 6, ["429", "503 twice"])
    manners = Manners(per_host=500, wait_s=0.01, at_once=4)
    options = CorpusOptions(min_words=MIN_WORDS, only="captions", manners=manners)
    with serving_videos(videos) as site:
        seen = {"Peel Garlic": True}
        run_corpus(list(seen), tmp_path / "corpus", site.search, options, corrections=seen)
        with open_corpus(tmp_path / "corpus", replace(options, only=None)) as corpus:
            waiting = [one for some in corpus.state.waiting("fetch") for one in some]
            plan, rows = corpus.fetch_plan(), []
            turns = OneAtATime(TurnKeeper(manners, plan.record))
            share = replace(plan, manners=replace(manners, at_once=2))

            def work(part):
                rows.extend(fetch_videos(part, share, SharedLimits(share.manners, turns)))

            workers = [threading.Thread(target=work, args=(waiting[k::2],)) for k in range(2)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
    assert len(waiting) >= 5
    assert {row.key: row.status for row in rows} == {one.video.id: "done" for one in waiting}
    assert site.wrong == [] and site.most <= 4


def test_a_run_that_is_to_end_takes_no_turn_more():
    keeper = TurnKeeper(Manners(), clock=Clock())
    limits = SharedLimits(Manners(), keeper)
    limits.stop.set()
    with pytest.raises(Stopped), limits.turn("a"):
        pass
    assert keeper.ask("a", "another") == 0.0
