"""A model of the hub becomes a folder that loads with nothing else around."""

from __future__ import annotations

import json

import hubs
import numpy as np
import pytest

from sayso import load
from sayso.core.errors import SaysoError, Unavailable
from sayso.hub.download import pull


def test_the_folder_gives_the_same_answers_without_the_cache(
    cache, tiny, no_sockets, tmp_path, monkeypatch, caplog
):
    hubs.into_cache(tiny["clip"], cache, "some/clip")
    expected = load("some/clip", device="cpu").encode_text(["a red car"])
    to = tmp_path / "models" / "clip"
    size = pull("some/clip", to)
    assert size == sum(path.stat().st_size for path in to.rglob("*"))
    assert not caplog.messages
    assert not any(path.is_symlink() for path in to.rglob("*"))
    assert [path.name for path in to.parent.iterdir()] == ["clip"]
    assert {path.name for path in to.iterdir()} >= {"config.json", "reference.json", "README.md"}
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    np.testing.assert_array_equal(load(str(to), device="cpu").encode_text(["a red car"]), expected)


def test_refuses_what_it_cannot_do(cache, tiny, no_sockets, tmp_path, monkeypatch):
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    hubs.into_cache(tiny["clip"], cache, "some/clip")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine.txt").write_text("keep me")
    with pytest.raises(SaysoError, match="not an empty folder"):
        pull("some/clip", tmp_path / "used")
    assert (tmp_path / "used" / "mine.txt").read_text() == "keep me"
    with pytest.raises(SaysoError, match="only models of the hub"):
        pull("offline", tmp_path / "new")
    with pytest.raises(Unavailable):
        pull("some/other", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_copy_that_was_damaged_is_noticed_by_its_reference_outputs(cache, tiny, tmp_path):
    hubs.into_cache(tiny["siglip"], cache, "some/siglip")
    pull("some/siglip", tmp_path / "copy")
    copy = load(str(tmp_path / "copy"), device="cpu")
    assert (
        copy.sha256 == load("some/siglip", device="cpu").sha256
    )  # an index made by one opens with the other
    saved = json.loads((tmp_path / "copy" / "reference.json").read_text())
    saved["of_picture"][0] += 1
    (tmp_path / "copy" / "reference.json").write_text(json.dumps(saved))
    with pytest.raises(SaysoError, match=r"does not give its reference outputs \(of_picture of reference"):
        load(str(tmp_path / "copy"), device="cpu")
    assert load(str(tmp_path / "copy"), device="cpu", verify=False).dim == 32
    (tmp_path / "copy" / "reference.json").write_text("[")
    with pytest.raises(SaysoError, match=r"reference\.json cannot be read"):
        load(str(tmp_path / "copy"), device="cpu")


def test_what_is_no_dual_encoder_is_copied_as_it_is(cache, tiny, tmp_path):
    import shutil

    from safetensors.numpy import save_file

    folder = shutil.copytree(tiny["clip"], tmp_path / "vision")
    save_file({"vision.weight": np.zeros((2, 2), np.float32)}, folder / "model.safetensors")
    hubs.into_cache(folder, cache, "some/vision")
    pull("some/vision", tmp_path / "copy")
    names = {path.name for path in folder.iterdir()}
    assert {path.name for path in (tmp_path / "copy").iterdir()} == names
