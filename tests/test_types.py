"""What a user's type checker sees: true types behind every public name, and a wrong argument refused."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from house import SOURCE, faces, module_graph

pytestmark = pytest.mark.slow

SNIPPET = """
from pathlib import Path
from typing import assert_type

import numpy as np
import torch
from numpy.typing import NDArray

import sayso
from sayso import Box, Caption, Index, Span
from sayso.data import Corpus, open_features, read_corpus
from sayso.encoders import Encoder, load_encoder
from sayso.hub import ModelInfo, list_models
from sayso.export import steps_vtt
from sayso.index import Hit
from sayso.losses import max_margin, mil_nce
from sayso.media import ClipFrames, Probe, kind_of, probe, read_clip, stream_frames, thumbnail
from sayso.metrics import both_directions, retrieval
from sayso.models import S3D, GatedEmbedding
from sayso.people import Track, read_tracks
from sayso.solvers import Diffrac, align_words, ordered_path
from sayso.alignment import AlignedScript, align_script
from sayso.text import Screenplay, find_subtitles, read_screenplay, read_subtitles, write_srt
from sayso.toyworld import HowTo, training_video

span = Span(0.0, 2.0)
assert_type(span.start, float)
caption = Caption(span, "now we whisk the eggs")
assert_type(caption.text, str)
assert_type(Box(1, 2, 3, 4).x0, float)
index = Index.open("my.index", "offline")
hits = index.search("a dog")
assert_type(hits, list[Hit])
assert_type(hits[0].score, float)
assert_type(probe("a.mp4"), Probe)
assert_type(read_clip("a.mp4", 1.0, 2.0, frames=8), ClipFrames)
assert_type(kind_of("a.mp4") is None, bool)
assert_type(thumbnail(next(stream_frames("a.mp4", fps=1.0))[1]), bytes)
encoder: Encoder = load_encoder("offline")
assert_type(list_models(), list[ModelInfo])
assert_type(read_screenplay("film.txt"), Screenplay)
assert_type(read_subtitles("film.srt"), list[Caption])
assert_type(find_subtitles("film.mp4"), Path | None)
assert_type(write_srt([caption]), str)
assert_type(align_script(read_screenplay("film.txt"), [caption]), AlignedScript)
assert_type(read_tracks("faces.jsonl"), list[Track])
assert_type(read_corpus("videos"), Corpus)
assert_type(retrieval(np.eye(3)), dict[str, float])
assert_type(both_directions(np.eye(3)), dict[str, dict[str, float]])
assert_type(align_words(["a"], ["a"]), NDArray[np.int64])
assert_type(training_video(0, 0), HowTo)
loss: torch.Tensor = mil_nce(torch.eye(2), torch.eye(2)) + max_margin(torch.eye(2), torch.eye(2))
network: torch.nn.Module = S3D(512)
gated: torch.nn.Module = GatedEmbedding(4, 2)
path: NDArray[np.int64] = ordered_path(np.eye(3))
feature = open_features("features").rate
assert_type(Diffrac([np.eye(3)], 1e-2).value(np.eye(3)), float)
page: str = steps_vtt([], 12.0)
"""

WRONG = {
    "span": ("sayso.Span(0.0, 1.0, text='a')", "a span has no text"),
    "index": ("sayso.Index.open(3)", "an index is opened by its address"),
    "rate": ("sayso.text.read_subtitles('a.srt', fps='25')", "a frame rate is a number"),
    "second": ("sayso.media.read_clip('a.mp4', 'now', 2.0)", "a second is a number"),
    "loss": ("sayso.losses.mil_nce([1.0], [1.0])", "a loss takes tensors"),
    "name": ("sayso.metrics.nothing", "there is no such name"),
    "lazy": ("sayso.text.nothing", "there is no such name, although the face is lazy"),
}


def all_names() -> dict[str, list[str]]:
    """Return the public names of each face -> names."""
    return {module.name: module_graph.listed_names(module) for module in faces()}


def check_with_mypy(folder: Path, cache: Path) -> list[str]:
    """Return what mypy --strict says of the files of a folder, as it would to a user.

    The packages that the project's own check does not follow are not followed here: they are half of all
    modules, and no public type is theirs. With these options mypy takes over what ``make check`` found out of
    torch and numpy.
    """
    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text())["tool"]["mypy"]
    skipped = ",".join(project["overrides"][0]["module"])
    lines = ["[mypy]", "strict = True", "warn_unreachable = True", "python_version = 3.11"]
    lines += [
        f"[mypy-{skipped}]",
        "ignore_missing_imports = True",
        "follow_imports = skip",
    ]
    (folder / "mypy.ini").write_text("\n".join(lines))
    if not any(cache.iterdir()) and (known := SOURCE.parent / ".mypy_cache").is_dir():
        shutil.copytree(known, cache, dirs_exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--cache-dir",
        str(cache),
        "--no-error-summary",
        "--no-pretty",
        ".",
    ]
    environment = {**os.environ, "MYPYPATH": str(SOURCE)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout.splitlines()


def check_with_pyright(folder: Path) -> list[str]:
    """Return the errors and the revealed types that pyright tells of the files of a folder."""
    settings = {"typeCheckingMode": "standard", "extraPaths": [str(SOURCE)], "include": ["."]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, "-p", str(folder)], capture_output=True, text=True, check=False, cwd=folder
    )
    told = json.loads(done.stdout)["generalDiagnostics"]
    wanted = [item for item in told if item["severity"] in {"error", "information"}]
    places = [f"{Path(item['file']).name}:{item['range']['start']['line'] + 1}" for item in wanted]
    return [f"{at}: {item['severity']}: {item['message']}" for at, item in zip(places, wanted, strict=True)]


def every_name() -> str:
    """Return a module that asks for the type of each public name."""
    lines = ["import sayso"]
    for face, names in all_names().items():
        lines.append(f"import {face}")
        lines += [f"reveal_type({face}.{name})" for name in names]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session", params=["mypy", "pyright"])
def told(request, tmp_path_factory):
    """What a type checker says of each text, checked in one run: file -> lines."""
    if importlib.util.find_spec("mypy" if request.param == "mypy" else "basedpyright") is None:
        pytest.skip(f"{request.param} is not installed")
    folder = tmp_path_factory.mktemp(request.param)
    texts = {"user": SNIPPET, "every_name": every_name()}
    texts |= {name: f"import sayso\nimport sayso.metrics\n\n{text}\n" for name, (text, _) in WRONG.items()}
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    if request.param == "mypy":
        lines = check_with_mypy(folder, request.config.cache.mkdir("mypy"))
    else:
        lines = check_with_pyright(folder)
    return {name: [line for line in lines if line.startswith(f"{name}.py:")] for name in texts}


def test_a_users_snippet_has_the_types_that_it_says(told):
    names = re.findall(r"^from sayso[\w.]* import (.+)$", SNIPPET, re.MULTILINE)
    assert len([name for line in names for name in line.split(",")]) >= 30
    assert told["user"] == []


def test_every_public_name_resolves(told):
    lines = told["every_name"]
    asked = sum(map(len, all_names().values()))
    assert [line for line in lines if "error" in line.partition('"')[0]] == []
    assert len(lines) >= asked, "a type is told of each name"
    unknown = [line for line in lines if re.search(r'is "(Any|Unknown)"|Type of .* is "Unknown"', line)]
    assert unknown == [], f"of {asked} names"


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused(told, name):
    assert [line for line in told[name] if "error" in line], WRONG[name]
