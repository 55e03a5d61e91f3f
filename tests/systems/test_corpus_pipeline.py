"""From tasks to pairs of clips and captions, against a site whose every fault is known: counts, kills."""

from __future__ import annotations

import csv
import json
import sys
import tarfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from command import sayso
from corpus_kills import Kills, counted, last_rows, ledger_rows
from sayso.core.errors import SaysoError
from sayso.data import read_corpus
from sayso.speech.beside import Beside
from sayso.systems.corpus import (
    CorpusOptions,
    FindRules,
    HostLimits,
    Manners,
    corpus_status,
    open_corpus,
    open_source,
    read_funnel,
    take_tasks,
)
from video_host import ENDS, MIN_WORDS, Video, VideoHost, expected_funnel, make_videos, serving_videos

TASKS = ["Peel Garlic", "Fold Paper", "Prune Roses"]


class FakeTime:
    """A clock that sleeping sets forward."""

    def __init__(self) -> None:
        self.at = 1_000_000_000.0

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> list[Video]:
    return make_videos(tmp_path_factory.mktemp("made"), TASKS, 26, list(ENDS))


@pytest.fixture
def site(videos):
    with serving_videos(videos) as host:
        yield host


def write_tasks_file(path: Path, tasks=TASKS) -> Path:
    rows = [*((task, 1) for task in tasks), ("Be Happy", 0)]
    path.write_text("title,visual,score\n" + "".join(f"{title},{seen},0.5\n" for title, seen in rows))
    return path


@contextmanager
def opened(folder: Path, site: VideoHost, *, manners=None, **changes):
    """The corpus, on a clock that no test waits for."""
    clock = FakeTime()
    site.now = clock
    manners = manners or Manners(per_host=100, wait_s=0.5)
    limits = HostLimits(manners, folder / "hosts.json", clock=clock, sleep=clock.sleep)
    options = CorpusOptions(min_words=MIN_WORDS, manners=manners, **changes)
    with open_corpus(folder, options, create=True, limits=limits) as corpus:
        yield corpus


def whole(folder: Path, site: VideoHost, **changes):
    take_tasks(write_tasks_file(folder.with_suffix(".csv")), folder)
    with opened(folder, site, **changes) as corpus:
        corpus.find(open_source(site.search, corpus.limits))
        corpus.read_captions()
        corpus.fetch()
        corpus.build()
        return read_funnel(corpus.state)


def test_the_funnel_counts_what_the_site_was_built_with(videos, site, tmp_path, caplog):
    folder = tmp_path / "corpus"
    funnel = whole(folder, site)
    assert counted(funnel) == expected_funnel(videos)
    assert (funnel.titles, funnel.visual, funnel.search.done, funnel.silent) == (4, 3, 3, 1)
    assert site.wrong == [] and site.most <= 4
    assert funnel.failed == 3 == len(funnel.failures)
    attempts = {row["key"]: row["attempts"] for row in ledger_rows(folder) if row["stage"] == "fetch"}
    by_fault = {video.fault: attempts.get(video.id) for video in videos}
    assert [by_fault[fault] for fault in ("503 twice", "429", "cut once", "cut", "file gone")] == [
        3,
        2,
        2,
        5,
        1,
    ]
    both, automatic = (next(v.id for v in videos if v.fault == fault) for fault in ("both", "automatic"))
    names = {path.name for path in (folder / "videos").rglob("*.vtt")}
    assert {f"{both}.en.vtt", f"{automatic}.en.auto.vtt"} <= names and f"{both}.en.auto.vtt" not in names
    check_release(folder, videos)
    check_that_a_second_run_asks_for_nothing(folder, site)
    check_that_a_deleted_video_is_fetched_again(folder, site, caplog)
    check_silent_videos(folder, site, videos)


def check_release(folder: Path, videos: list[Video]) -> None:
    """What training reads is what the site said, by another way of counting."""
    corpus = read_corpus(folder)
    kept = {video.id: video for video in videos if not video.end and video.fault != "silent"}
    assert set(corpus.ids) == set(kept)
    for k, key in enumerate(corpus.ids):
        spoken = [corpus.caption(c) for c in corpus.captions_of(k)]
        assert [one.text for one in spoken] == [one.text for one in kept[key].spoken]
        assert Path(corpus.paths[k]).read_bytes() == kept[key].file
    rows = list(csv.DictReader((folder / "videos.csv").read_text().splitlines()))
    titles = dict(csv.reader((folder / "task_ids.csv").read_text().splitlines()))
    ranks = {
        task: [
            v.id
            for v in sorted((v for v in videos if task in v.tasks), key=lambda v: (v.tasks.index(task), v.id))
        ]
        for task in TASKS
    }
    for row in rows:
        task, video = titles[row["task_id"]], kept[row["video_id"]]
        best = min((ranks[task].index(video.id) + 1, TASKS.index(task)) for task in video.tasks)
        assert (int(row["rank"]), TASKS.index(task)) == best
    found = {row["key"]: row["facts"] for row in ledger_rows(folder) if row["stage"] == "find"}
    assert all(set(found[video.id]["tasks"]) == set(video.tasks) for video in videos)


def check_that_a_second_run_asks_for_nothing(folder: Path, site: VideoHost) -> None:
    asked, rows = len(site.log), len(ledger_rows(folder))
    before = (folder / "caption.json").read_bytes()
    whole(folder, site)
    assert (len(site.log), len(ledger_rows(folder))) == (asked, rows)
    assert (folder / "caption.json").read_bytes() == before
    whole(folder, site, retry="gone")
    again = Counter(path for path, _ in site.log[asked:])
    gone = [video for video in site.videos.values() if video.end and video.end[1] == "gone"]
    assert sorted(again) == sorted(
        f"/v/{video.id}.mp4" if video.end[0] == "fetch" else f"/watch/{video.id}" for video in gone
    )


def check_that_a_deleted_video_is_fetched_again(folder: Path, site: VideoHost, caplog) -> None:
    """It alone; where most are gone that is only said, until they are asked for."""
    before, asked = last_rows(folder), len(site.log)
    files = sorted((folder / "videos").rglob("*.mp4"))
    content = files[0].read_bytes()
    files[0].unlink()
    funnel = whole(folder, site)
    assert [path for path, _ in site.log[asked:]] == [f"/v/{files[0].stem}.mp4"]
    assert files[0].read_bytes() == content and counted(funnel) == expected_funnel(list(site.videos.values()))
    away = folder / "away"
    (folder / "videos").rename(away)
    asked = len(site.log)
    with opened(folder, site) as corpus:
        corpus.fetch()
    assert len(site.log) == asked and f"of {len(files)} fetched videos are not in" in caplog.text
    away.rename(folder / "videos")
    assert last_rows(folder) == before


def check_silent_videos(folder: Path, site: VideoHost, videos: list[Video]) -> None:
    """To transcribing, the silent ones alone wait; with its captions beside them they count."""
    (silent,) = [video for video in videos if video.fault == "silent"]
    waiting = {
        path.stem for path in (folder / "videos").rglob("*.mp4") if not Beside(path).has_captions_of_people()
    }
    assert waiting == {silent.id}
    (path,) = (folder / "videos").rglob(f"{silent.id}.mp4")
    captions = path.with_name(f"{silent.id}.en.auto.vtt")
    captions.write_text("WEBVTT\n\n00:01.000 --> 00:02.000\ntoo few words\n")
    built = sayso("corpus", "build", folder, "--min-words", MIN_WORDS, "--json")
    assert json.loads(built.stdout)["built"]["rejected"] == {"words": 1}
    spoken = next(video for video in videos if not video.fault)
    heard = next((folder / "videos").rglob(f"{spoken.id}.en.vtt")).read_bytes()
    captions.write_bytes(heard)
    built = sayso("corpus", "build", folder, "--min-words", MIN_WORDS, "--json")
    assert built.returncode == 0, built.stderr
    told = json.loads(built.stdout)
    assert told["silent"] == 0
    assert told["clips"] == expected_funnel(videos)["clips"] + len(spoken.spoken)


def test_a_changed_rule_or_mind_counts_for_what_was_found(videos, site, tmp_path):
    folder = tmp_path / "corpus"
    whole(folder, site, only="captions")
    assert not list(folder.rglob("*.mp4"))
    said = (folder / "tasks.csv").read_text()
    (folder / "tasks.csv").write_text(said.replace(f"{TASKS[2]},1", f"{TASKS[2]},0"))
    with opened(folder, site, only="captions", rules=FindRules(min_views=0)) as corpus:
        corpus.find(open_source(site.search, corpus.limits))
        funnel = read_funnel(corpus.state)
    of_two = [video for video in videos if set(video.tasks) & set(TASKS[:2])]
    lost = Counter(video.end[2] for video in of_two if video.end and video.end[0] == "find")
    assert lost.pop("views") == 1 and lost
    assert funnel.stages["find"].lost == {"rejected": dict(lost)}
    assert funnel.stages["find"].done == len(of_two) - lost.total()


def test_shards_and_ids_say_the_same(videos, site, tmp_path):
    folder = tmp_path / "corpus"
    whole(folder, site, form="shards")
    read = read_corpus(folder / "shards")
    kept = {video.id: video for video in videos if not video.end and video.fault != "silent"}
    assert set(read.ids) == set(kept)
    with read.file(0) as path:
        assert Path(path).read_bytes() == kept[read.ids[0]].file
    with tarfile.open(folder / "shards" / "000000.tar") as shard:
        assert len(shard.getnames()) == 2 * len(kept)
    assert sayso("corpus", "build", folder, "--form", "ids").returncode == 0
    rows = list(csv.DictReader((folder / "ids.csv").read_text().splitlines()))
    assert {row["id"] for row in rows} == set(kept)
    assert not set(rows[0]) & {"text", "captions"}
    again = tmp_path / "again"  # what was published is a catalogue
    with opened(again, site) as corpus:
        corpus.find(open_source(str(folder / "ids.csv"), corpus.limits, listed=True))
        corpus.read_captions()
        corpus.fetch()
        corpus.build()
        assert read_funnel(corpus.state).clips == expected_funnel(videos)["clips"]


def test_status_and_what_ends_a_run(videos, site, tmp_path):
    folder = tmp_path / "corpus"
    common = ("--out", folder, "--source", site.search, "--per-host", "1000/s", "--wait", "0.001")
    done = sayso("corpus", "find", write_tasks_file(tmp_path / "t.csv"), *common)
    assert done.returncode == 0 and "found" in done.stdout
    told = sayso("corpus", "captions", folder, *common[4:], "--min-words", MIN_WORDS)
    assert told.returncode == 3 and "at captions, 5 attempts: HTTP 503" in told.stderr
    status = sayso("corpus", "status", folder, "--json")
    assert status.returncode == 0
    assert json.loads(status.stdout)["captioned"]["failed"] == {"HTTP 503": 1}
    assert corpus_status(folder).to_dict() == json.loads(status.stdout)
    with pytest.raises(SaysoError, match="there is nothing at"):
        corpus_status(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["titles.txt"], 2, "'titles.txt' is no stage of sayso corpus"),
        (["run", "--out", "c", "--source", "youtube"], 1, "youtube has to be searched; give titles"),
        (["run", "--out", "c", "--source", "missing.csv"], 1, "missing.csv: there is nothing"),
        (["find", "--out", "c", "--source", "http://x/?q="], 1, "has to be searched"),
        (["fetch", "c", "--per-host", "soon"], 2, "is no rate; write requests a time"),
    ],
)
def test_slips_are_one_sentence(words, code, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = sayso("corpus", *words)
    assert (done.returncode, said in " ".join(done.stderr.split())) == (code, True), done.stderr


RUN = """
import sys
from pathlib import Path
from sayso.systems.corpus import CorpusOptions, Manners, open_corpus, open_source
folder, source, words = sys.argv[1:]
options = CorpusOptions(min_words=int(words), manners=Manners(per_host=200, wait_s=0.01))
with open_corpus(Path(folder), options, create=True) as corpus:
    corpus.find(open_source(source, corpus.limits))
    corpus.read_captions()
    corpus.fetch()
    corpus.build()
"""


def test_a_kill_costs_nothing_and_asks_for_nothing_twice(tmp_path):
    faults = ["", "few views", "503 twice", "page gone", "silent", "cut once", "automatic"]
    videos = make_videos(tmp_path, TASKS, 12, faults)
    with serving_videos(videos) as site:
        for name, kill in (("undisturbed", None), ("killed", 20)):
            folder = tmp_path / name
            site.reset()
            take_tasks(write_tasks_file(tmp_path / "tasks.csv"), folder)
            kills = Kills(site, folder, [sys.executable, "-c", RUN, str(folder), site.search, str(MIN_WORDS)])
            if kill and kills.run(kill):
                assert kills.run(None) is False
            elif not kill:
                kills.run(None)
        assert kills.kills == 1
        assert kills.twice == [] and site.wrong == [] and site.most <= 4
    assert last_rows(tmp_path / "killed") == last_rows(tmp_path / "undisturbed")
    for name in ("videos.csv", "caption.json", "task_ids.csv"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
    assert counted(corpus_status(tmp_path / "killed")) == expected_funnel(videos)
    left = [path.name for path in (tmp_path / "killed").rglob(".*.part")]
    assert [name for name in left if "hosts.json" not in name] == []  # that of hosts may not be written again


def test_another_source_adds_to_the_corpus(videos, site, tmp_path):
    """Each source is searched once for each task, and a video that both list stands once."""
    folder, catalogue = tmp_path / "corpus", tmp_path / "more.jsonl"
    both = next(video for video in videos if not video.fault)
    rows = [
        {"url": f"{site.url}/watch/{both.id}", "id": both.id, "task": TASKS[0]},
        {"url": f"{site.url}/watch/more", "id": "more", "task": TASKS[0]},
    ]
    catalogue.write_text("".join(json.dumps(row) + "\n" for row in rows))
    take_tasks(write_tasks_file(tmp_path / "tasks.csv"), folder)
    for named in (site.search, str(catalogue), site.search, str(catalogue)):
        with opened(folder, site) as corpus:
            corpus.find(open_source(named, corpus.limits), named)
    found = {key for stage, key in last_rows(folder) if stage == "find"}
    assert {both.id, "more"} <= found and len(found) == len({video.id for video in videos} | {"more"})
    searched = Counter(path for path, _ in site.log if path.startswith("/search"))
    assert searched and set(searched.values()) == {1}
    refused = sayso("corpus", "run", "--out", tmp_path / "other", "--source", "a.csv", "--source", "b.csv")
    assert refused.returncode == 2 and "--source b.csv" in refused.stderr
