"""A corpus fetched on a Ray cluster is the one fetched here, politely, whoever is killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from command import sayso
from corpus_kills import last_rows, ledger_rows
from ray_actors import actors
from sayso.cli.exit_codes import SOME_FAILED
from sayso.systems.corpus import CorpusOptions, Manners, run_corpus
from video_host import MIN_WORDS, make_videos, serving_videos

pytest.importorskip("ray")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are found in /proc"),
]
LIMIT_S = 600  # Ray starts in about 10 s, on a busy machine in a minute
FAULTS = ["file gone", "cut", "drip", "cut once", "503 twice", "wrong length", "no robots", "redirect"]
WAITS = ["429", "429 date"]
POLITE = ["--wait", "0.01", "--at-once", "4"]


@contextlib.contextmanager
def corpora(folder: Path, faults: list[str]) -> Iterator[tuple]:
    """The site, a corpus whose videos were fetched here, and the same before."""
    videos = make_videos(folder, ["Peel Garlic"], 40, faults)
    options = CorpusOptions(min_words=MIN_WORDS, only="captions", manners=Manners(per_host=500, wait_s=0.01))
    with serving_videos(videos) as site:
        seen = {"Peel Garlic": True}
        run_corpus(list(seen), folder / "here", site.search, options, corrections=seen)
        shutil.copytree(folder / "here", folder / "there")
        site.reset()
        done = sayso("corpus", "fetch", folder / "here", "--per-host", "200/s", *POLITE)
        assert done.returncode == SOME_FAILED, done.stderr
        site.reset()
        yield site, folder / "here", folder / "there"


@contextlib.contextmanager
def driver(folder: Path, per_host: str) -> Iterator[subprocess.Popen[bytes]]:
    named = [sys.executable, "-m", "sayso", "corpus", "fetch", str(folder), "--engine", "ray"]
    process = subprocess.Popen([*named, "--per-host", per_host, *POLITE], start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def videos_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "videos").rglob("*.mp4")}


def until(process: subprocess.Popen[bytes], true: Callable[[], object]) -> None:
    give_up = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < give_up
        assert process.poll() is None, "it was done before anybody was killed"
        time.sleep(0.01)


def test_the_same_corpus_and_the_site_is_asked_as_politely(tmp_path):
    with corpora(tmp_path, [*FAULTS, *WAITS]) as (site, here, there):
        with driver(there, "200/s") as process:
            assert process.wait(LIMIT_S) == SOME_FAILED
        assert site.wrong == [] and site.most <= 4
    assert last_rows(there) == last_rows(here)
    assert videos_of(there) == videos_of(here) != {}


def test_the_whole_way_in_one_command(tmp_path):
    videos = make_videos(tmp_path, ["Peel Garlic"], 8, FAULTS[:2])
    corrections = tmp_path / "said.csv"
    corrections.write_text("title,visual\nPeel Garlic,1\n")
    (tmp_path / "titles.txt").write_text("Peel Garlic\n")
    with serving_videos(videos) as site:
        asked = ["--source", site.search, "--corrections", corrections, "--min-words", MIN_WORDS]
        asked += ["--per-host", "200/s", *POLITE, "--json"]
        found = []
        for out, where in (("here", []), ("there", ["--engine", "ray"])):
            site.reset()
            done = sayso("corpus", "run", tmp_path / "titles.txt", "--out", tmp_path / out, *asked, *where)
            assert done.returncode == SOME_FAILED, done.stderr
            found.append(json.loads(done.stdout))
        assert site.wrong == [] and site.most <= 4
    assert found[0] == found[1] and found[0]["clips"] > 0
    assert last_rows(tmp_path / "there") == last_rows(tmp_path / "here")
    for name in ("videos.csv", "caption.json", "task_ids.csv"):
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_a_worker_and_the_driver_may_die(tmp_path):
    with corpora(tmp_path, FAULTS) as (site, here, there):
        with driver(there, "10/s") as process:
            until(process, lambda: len(videos_of(there)) >= 2 and actors(process.pid))
            os.kill(actors(process.pid)[0], signal.SIGKILL)
            until(process, lambda: any(row["stage"] == "fetch" for row in ledger_rows(there)))
        finished, before = videos_of(there), len(site.log)
        with driver(there, "200/s") as process:
            assert process.wait(LIMIT_S) == SOME_FAILED
        asked = {path.removeprefix("/v/") for path, _ in site.log[before:]}
        assert not asked & set(finished)
        assert site.most <= 4
    assert last_rows(there) == last_rows(here)
    assert videos_of(there) == videos_of(here)
