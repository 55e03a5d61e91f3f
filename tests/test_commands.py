"""Every command of README, of the pages and of the help is pasted and run, on what ``sayso sample`` draws.

What needs something that a test has not (``pages.NEEDS``) is parsed alone, by ``test_spelling``, and counted.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from command import sayso
from pages import NEEDS, every_command, needed, parts
from sample_home import TITLES, list_videos, make_home
from video_host import VideoHost, make_videos, serving_videos

COMMANDS = every_command()
INDEXED = ("sayso index my.index ~/Videos ~/Pictures --model offline",)
VIDEOS = ("sayso index my.index ~/Videos --model offline",)  # a picture among the hits cannot be cut: exit 3
RUN = ("sayso corpus run --source videos.csv --out CORPUS",)
BEFORE = {  # what the page takes for granted
    "docs/dates.md": INDEXED,
    "docs/finds.md": VIDEOS,
    "sayso clip": VIDEOS,
    **{f"sayso {verb}": INDEXED for verb in ("info", "list", "roots", "remove", "search", "ask")},
    **{f"sayso corpus {stage}": RUN for stage in ("captions", "fetch", "build", "status")},
    "sayso corpus find": ("sayso corpus tasks titles.txt --out tasks.csv",),
    "sayso localize": ("sayso train localize ~/tagged-pictures --out runs/where",),
    "sayso index": ("sayso caption ~/Pictures",),
    "sayso train": ("sayso toyworld --out toy",),
}
REPLACED = {  # a placeholder of the pages -> what stands here for it
    r"--model MODEL\b": "--model vlm",
    r"~/captioned\b": "~/cc3m",
    r"--model M\b": "--model offline",
    r'--tags "bicycle, dog"': '--tags "cup, star"',
    r"https://videos\.example/search\?q=\{query\}": "{search}",
}
TINY = "--set steps=2 --set warmup=1 --set batch_size=4 --set save_every=1"
SEEN = "--set language_model=parts/lm --set backbone=parts/tower --set size=24 --set views=1 --set workers=0"
ADDED = {  # so that it takes seconds, and finds faces that are drawn
    r"sayso train (?!--list|localize|crosstask)": TINY,
    r"sayso train crosstask": "--set steps=8 --set warmup=1 --set batch_size=4 --set save_every=8",
    r"sayso train howto100m": "--set per_video=2 --set dim=32",
    r"sayso train mil-nce": "--recipe mil-nce-toy",
    r"sayso train clip (?!.*--recipe)": "--recipe clip-toy",
    r"sayso train flamingo": f"{SEEN} --set layers=[1,3] --set dim=16 --set depth=1 --set heads=2"
    " --set latents=3",
    r"sayso train llava": f"{SEEN} --set grid=0 --set precision=no",
    r"sayso train localize": "--recipe localize-toy --set size=96 --set steps=2",
    r"sayso steps (?!apply)": "--set iterations=20 --set alternations=1",
    r"sayso steps (?!apply|.*--features)": "--rate 0.25",
    r"sayso name ": "--tracks film/film.tracks.json",
    r"sayso curate": "--rules none",
    r"sayso (ask|caption) (?!.*--model)": "--model vlm",
    r"sayso toyworld .*--out toy": "--videos 4 --size 32 --fps 5",
    r"sayso toyworld .*--scenes": "--scenes 16",
    r"sayso toyworld .*--captions": "--videos 240",
    r"sayso corpus (run|find|captions|fetch)": "--per-host 100/s",
    r"sayso corpus (run|captions)": "--min-words 5",
}


ALONE = r"sayso (lecture|evaluate --list|models|doctor|corpus estimate)"
"""What needs nothing of a home, and leaves nothing that others use: run once, wherever it stands."""


class Home:
    """A home that is as it was drawn whenever a page begins, or as the commands before a page leave it.

    Args:
        folder: a new folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.kept = folder / "home", {(): make_home(folder / "drawn")}

    def reset(self, before: tuple[str, ...], run: Callable[[str], None]) -> None:
        """Bring it to where a page begins; what was done for one page is not done again for the next."""
        if before not in self.kept:
            self._take(self.kept[()])
            for line in before:
                run(line)
            os.chdir("/")
            self.kept[before] = self.folder.rename(self.folder.parent / f"kept-{len(self.kept)}")
        self._take(self.kept[before])

    def _take(self, kept: Path) -> None:
        os.chdir("/")
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(kept, self.folder, symlinks=True)
        os.chdir(self.folder)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def ran() -> set[str]:
    """Return what was run already of the commands that are run once."""
    return set()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    videos = make_videos(tmp_path_factory.mktemp("site"), [one.lower() for one in TITLES], 4, [])
    with serving_videos(videos) as host:
        yield host


def run(line: str, site: VideoHost) -> None:
    """Run a line as a shell would, with its pipe, where its files come from and where it writes."""
    if "videos.csv" in line:
        list_videos(Path(), site)
    for pattern, instead in REPLACED.items():
        line = re.sub(pattern, lambda _, instead=instead: instead.format(search=site.search), line)
    said, began = b"", time.monotonic()
    for part in parts(line):
        (_, *words), command = part.words, shlex.join(part.words)
        added = shlex.split(" ".join(more for pattern, more in ADDED.items() if re.match(pattern, command)))
        said = b"".join(Path(file).read_bytes() for file in part.reads) or said
        with mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(said))):
            done = sayso(*(os.path.expanduser(word) for word in words), *added)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        said = done.stdout.encode()
        for file in part.writes:
            Path(file).write_bytes(said)
    print(f"{time.monotonic() - began:5.1f} s  {line}")


@pytest.mark.slow
@pytest.mark.parametrize("source", COMMANDS)
def test_every_command_works_where_it_is_pasted(source, home, site, ran, monkeypatch):
    lines = [line for line in COMMANDS[source] if not needed(line)]
    if not lines:
        pytest.skip(f"needs {', '.join({needed(line) for line in COMMANDS[source]})}")
    monkeypatch.chdir("/")
    monkeypatch.setenv("HOME", str(home.folder))
    if "corpus" in source:  # its site is on this machine, which SAYSO_OFFLINE would refuse, too
        monkeypatch.delenv("SAYSO_OFFLINE", raising=False)
    else:
        monkeypatch.setenv("SAYSO_OFFLINE", "1")
    home.reset(BEFORE.get(source, ()), lambda line: run(line, site))
    for line in lines:
        if not re.match(ALONE, line):
            run(line, site)
        elif line not in ran:
            run(line, site)
            ran.add(line)


def test_what_is_not_run_is_named_with_its_reason_and_is_the_smaller_part():
    every = {line for lines in COMMANDS.values() for line in lines}
    reasons = Counter(filter(None, map(needed, every)))
    assert set(reasons) == set(NEEDS), "a reason that no command has"
    left_out = sum(reasons.values())
    print(f"{len(every)} commands: {len(every) - left_out} run, {left_out} not: {dict(reasons)}")
    assert left_out <= 0.4 * len(every), reasons
