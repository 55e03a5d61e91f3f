"""The data sets among the field reports come out right, and damage to a file is told or survived."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from pathlib import Path

import pytest

from data.tagged_folders import Seen, coco, voc
from data.test_shards import CUE, write_shard
from sayso.core.errors import SaysoError

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


def load(name: str):
    """Import a script of the folder ``benchmarks``."""
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reports, mutations = load("field_reports"), load("mutations")


@pytest.mark.parametrize(
    "check", [check for check in reports.CHECKS if check.number == "12"], ids=lambda check: check.folder
)
def test_every_given_data_set_is_right(shared_data, check):
    folder = shared_data / "reports"
    if not folder.is_dir():
        pytest.skip("the field reports are not on this machine")
    for what, expected, found, ok in reports.rows(check, folder):
        assert ok, f"{what}: expected {expected}, found {found}"


def make(kind: str, folder: Path) -> Path:
    """Write a small data set; return the file to damage."""
    if kind == "coco":
        return coco(folder / "instances.json", {"a.jpg": [("dog", [1, 2, 3, 4], 0)], "b.jpg": []})
    if kind == "captions":
        images = [{"id": 1, "file_name": "a.jpg"}]
        rows = [{"image_id": 1, "caption": "a dog"}, {"image_id": "1", "caption": "a cat"}]
        (folder / "captions.json").write_text(json.dumps({"images": images, "annotations": rows}))
        return folder / "captions.json"
    if kind == "tar":
        files = {"a.v1.mp4": b"x", "a.v1.srt": CUE % b"one", "b.mp4": b"y", "b.json": b'{"caption": "two"}'}
        return write_shard(folder / "s.tar", files)
    root = voc(folder, {"a": [Seen("dog")], "b 1": [Seen("cat")]}, split="train", lists=kind != "xml")
    return root / ("Annotations/a.xml" if kind == "xml" else "ImageSets/Main/dog_train.txt")


@pytest.mark.parametrize("kind", ["coco", "captions", "tar", "xml", "txt"])
def test_damage_is_told_or_survived(tmp_path, kind):
    path = make(kind, tmp_path)
    rng, data = random.Random(kind), path.read_bytes()
    outcomes = set()
    for _ in range(150):
        path.write_bytes(mutations.damage(data, rng))
        try:
            mutations.read_data_set(tmp_path)
            outcomes.add("read")
        except SaysoError:
            outcomes.add("refused")
    assert "read" in outcomes
