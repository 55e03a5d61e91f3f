"""The corpus at the size that was asked for: 40 tasks, 300 videos, 30 kills; then training, and memory."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from command import sayso
from corpus_kills import Kills, counted, last_rows
from sayso.systems.corpus import corpus_status
from video_host import ENDS, MIN_WORDS, expected_funnel, make_videos, serving_videos

pytestmark = pytest.mark.slow
THINGS = ["Garlic", "Paper", "Roses", "a Bicycle", "Bread", "Shoes", "a Chair", "Hair"]
VERBS = ["Peel", "Cut", "Wash", "Repair", "Paint"]
TASKS = [f"{verb} {thing}" for verb in VERBS for thing in THINGS]
UNSEEN = TASKS[::5]
KILLS = 30


def test_thirty_kills_leave_the_corpus_of_an_undisturbed_run_and_it_trains(tmp_path, capsys):
    seen = [task for task in TASKS if task not in UNSEEN]
    faults = [fault for fault in ENDS for _ in range(2 if fault.startswith("429") else 7)]
    videos = make_videos(tmp_path, seen, 300, faults)
    (tmp_path / "titles.txt").write_text("\n".join(TASKS))
    said = "".join(f"{task},{int(task in seen)}\n" for task in TASKS)
    (tmp_path / "said.csv").write_text(f"title,visual\n{said}")
    rng = random.Random(17)
    with serving_videos(videos) as site:
        for name, kills in (("undisturbed", 0), ("killed", KILLS)):
            site.reset()
            run = Kills(site, tmp_path / name, command(tmp_path / name, tmp_path, site.search))
            while run.kills < kills and run.run(rng.randint(1, 24)):
                pass
            run.run(None)
            if name == "undisturbed":
                needed = len(site.log)
            assert run.kills == kills
            assert (run.twice, site.wrong) == ([], []) and site.most <= 4
            assert len(site.log) <= needed + run.kills * (4 + 4)  # what was under way, and a search's pages
        forgiven = site.forgiven
    assert last_rows(tmp_path / "killed") == last_rows(tmp_path / "undisturbed")
    for name in ("tasks.csv", "videos.csv", "caption.json", "task_ids.csv"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
    funnel = corpus_status(tmp_path / "killed")
    assert (funnel.titles, funnel.visual, funnel.search.done) == (40, 32, 32)
    assert counted(funnel) == expected_funnel(videos)
    with capsys.disabled():
        print(f"\n{needed} requests undisturbed, {len(site.log)} with {KILLS} kills, {forgiven} unread waits")
        print("\n".join(funnel.lines()))
    train(tmp_path)


def command(folder, inputs, search):
    return [
        *(sys.executable, "-m", "sayso", "corpus", "run", str(inputs / "titles.txt"), "--out", str(folder)),
        *("--source", search, "--corrections", str(inputs / "said.csv"), "--min-words", str(MIN_WORDS)),
        *("--per-host", "200/s", "--wait", "0.01"),
    ]


def train(folder):
    """Train on features of each second, which lie anywhere by the videos' ids."""
    rng = np.random.default_rng(0)
    (folder / "features").mkdir()
    for path in (folder / "killed" / "videos").rglob("*.mp4"):
        np.save(folder / "features" / f"{path.stem}.npy", rng.normal(size=(40, 8)).astype(np.float32))
    changes = ["dim=8", "word_dim=8", "batch_size=16", "per_video=2", "steps=3", "warmup=1", "workers=0"]
    changes += [f'features=["{folder / "features"}"]', "feature_rates=[1.0]"]
    sets = [word for change in changes for word in ("--set", change)]
    done = sayso("train", "howto100m", folder / "killed", "--out", folder / "run", *sets)
    assert done.returncode == 0, done.stderr
    assert any((folder / "run").rglob("model.safetensors"))


MEASURED = r"""
import json, re, sys
from pathlib import Path
from sayso.systems.corpus import CorpusOptions, Manners, run_corpus
folder, catalogue = map(Path, sys.argv[1:])
options = CorpusOptions(min_words=1, manners=Manners(per_host=5000, wait_s=0.01))
funnel = run_corpus(None, folder, str(catalogue), options)
peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())  # ru_maxrss counts the parent's
print(json.dumps([funnel.clips, int(peak.group(1)) / 1024]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="peak memory is read from /proc")
def test_memory_does_not_grow_with_the_catalogue(tmp_path, capsys):
    videos = make_videos(tmp_path, ["Peel Garlic"], 4, [])
    used = {}
    with serving_videos(videos) as site:
        for count in (300, 3000):
            catalogue = tmp_path / f"{count}.csv"
            rows = [
                f"id-{k},{site.url}/v/{name}.mp4?n={k},1000,en,{site.url}/c/{name}.en.vtt?n={k}"
                for k in range(count)
                for name in (videos[k % 4].id,)
            ]
            catalogue.write_text("\n".join(["id,url,views,languages,captions", *rows]))
            code = [sys.executable, "-c", MEASURED, str(tmp_path / f"c{count}"), str(catalogue)]
            done = subprocess.run(code, capture_output=True, text=True, check=True)
            clips, used[count] = json.loads(done.stdout.splitlines()[-1])
            assert clips == sum(len(videos[k % 4].lines) for k in range(count))
    with capsys.disabled():
        print(f"\npeak memory: {used[300]:.0f} MB for 300 videos, {used[3000]:.0f} MB for 3,000")
    assert used[3000] < 1.1 * used[300]
