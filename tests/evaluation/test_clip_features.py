"""Released features are ranked as the public code ranks them; a folder's rows are those of its seconds."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from published_files import save_howto100m, save_vectors

import toy
from sayso.core.errors import SaysoError
from sayso.encoders import convert_published
from sayso.evaluation.clip_retrieval import CLIP_RETRIEVAL
from sayso.evaluation.evaluator import Count, EvaluationOptions
from sayso.evaluation.text_video_retrieval import ClipProtocol, TextVideoRetrieval

COLUMNS = {"video": "video_id", "text": "text", "start": "start", "end": "end"}
TEXTS = ["cut the onion", "pour water", "Stir the water", "cut water", "the onion pour"]


@pytest.fixture
def model(tmp_path):
    (tmp_path / "words.txt").write_text("cut the onion don't pour water Stir")
    return convert_published(save_howto100m(tmp_path), tmp_path / "words.txt", vectors=save_vectors(tmp_path))


@pytest.fixture
def protocol(tmp_path):
    rows = [f"v{k},{k},{k + 2},{text}" for k, text in enumerate(TEXTS)]
    (tmp_path / "list.csv").write_text("\n".join(["video_id,start,end,text", *rows, "lost,0,1,gone"]) + "\n")
    return TextVideoRetrieval(
        "tiny", ClipProtocol(title="Tiny", annotations="list.csv", columns=COLUMNS, max_words=30)
    )


def clips():
    rng = np.random.default_rng(3)
    return [
        {"id": f"v{k}", "caption": text, "2d": rng.normal(size=25), "3d": 9 * rng.normal(size=15)}
        for k, text in enumerate(TEXTS)
    ]


def ranks_as_published(model, rows):
    """Normalise each kind, join, compare, and count: as youcook_dataloader.py and metrics.py do."""
    unit = torch.nn.functional.normalize
    video = torch.stack(
        [torch.cat([unit(torch.tensor(r[k]).float(), dim=0) for k in ("2d", "3d")]) for r in rows]
    )
    with torch.no_grad():
        s = model.net.text(model.tokenizer([r["caption"] for r in rows])) @ model.net.video(video).T
    order = (-s).argsort(1).numpy()
    place = np.array([list(order[k]).index(k) for k in range(len(rows))])
    return {f"R@{k}": np.mean(place < k) for k in (1, 5, 10)} | {"median_rank": np.median(place) + 1}


def test_released_files_give_the_published_ranks(model, protocol, tmp_path):
    rows = clips()
    (tmp_path / "val.pkl").write_bytes(pickle.dumps(rows, 2))
    tables = {kind: {r["id"]: torch.tensor(r[kind]) for r in rows} for kind in ("2d", "3d")}
    torch.save(tables, tmp_path / "test.pth")
    expected = ranks_as_published(model, rows)
    for name, listed in (("val.pkl", 6), ("test.pth", 6)):
        result = protocol(model, tmp_path, EvaluationOptions(features=tmp_path / name))
        assert {key: result.rows["text to clip"][key] for key in expected} == pytest.approx(expected)
        assert result.counts == {"clips": Count(5, listed)}
    assert result.missing == ("lost",)


def test_a_folder_holds_a_row_a_second(model, protocol, tmp_path):
    encoder = toy.ColourEncoder()
    (tmp_path / "seconds").mkdir()
    colours = sorted(toy.COLOURS)[:5]
    rng = np.random.default_rng(0)
    for k, colour in enumerate(colours):
        seconds = rng.normal(size=(k + 3, 5)).astype(np.float32)
        seconds[k:] = encoder.encode_text([colour])
        np.save(tmp_path / "seconds" / f"v{k}.npy", seconds)
    listed = (tmp_path / "list.csv").read_text()
    for text, colour in zip(TEXTS, colours, strict=True):
        listed = listed.replace(f",{text}\n", f",{colour}\n")
    (tmp_path / "list.csv").write_text(listed)
    options = EvaluationOptions(features=tmp_path / "seconds")
    result = protocol(encoder, tmp_path, options)
    assert (result.primary.value, result.rows["text to clip"]["R@1"]) == (1.0, 1.0)
    np.save(tmp_path / "seconds" / "v4.npy", np.ones((2, 5), np.float32))
    result = protocol(encoder, tmp_path, options)
    assert result.counts == {"clips": Count(4, 6)}
    assert "v4: the features end at 2 s, before 4.0 s" in result.unreadable[0]
    with pytest.raises(SaysoError, match="features"):
        protocol(model, tmp_path, options)


def test_says_what_is_wrong(model, protocol, tmp_path):
    def run(name, content, with_model=model):
        (tmp_path / name).write_bytes(content)
        return protocol(with_model, tmp_path, EvaluationOptions(features=tmp_path / name))

    with pytest.raises(SaysoError, match="which colour does not take"):
        run("a.pkl", b"", toy.ColourEncoder())
    with pytest.raises(SaysoError, match="holds no released features"):
        run("a.pkl", pickle.dumps([{"2d": 1}]))
    with pytest.raises(SaysoError, match="no file of tensors"):
        run("a.pth", b"nothing")
    torch.save({"2d": {}, "3d": {}}, tmp_path / "b.pth")
    with pytest.raises(SaysoError, match="features of the 6 clips, such as v0"):
        protocol(model, tmp_path, EvaluationOptions(features=tmp_path / "b.pth"))
    short = [{**row, "2d": row["2d"][:9]} for row in clips()]
    with pytest.raises(SaysoError, match="features must be"):
        run("a.pkl", pickle.dumps(short))


def test_a_manifest_is_ranked_by_features_too_without_its_videos(tmp_path):
    encoder, colours = toy.ColourEncoder(), sorted(toy.COLOURS)[:3]
    (tmp_path / "features").mkdir()
    for k, colour in enumerate(colours):
        seconds = np.repeat(encoder.encode_text([colour, colours[k - 1]]), 2, 0)  # two of each
        np.save(tmp_path / "features" / f"v{k}.npy", seconds)
    rows = [f"films/v{k}.mp4,0,2,{colour}" for k, colour in enumerate(colours)]
    rows += ["films/lost.mp4,0,2,red", "films/v0.mp4,9,11,red", "films/v0.mp4,3,1,red"]
    (tmp_path / "clips.csv").write_text("\n".join(["path,start_s,end_s,text", *rows]) + "\n")
    result = CLIP_RETRIEVAL(
        encoder, tmp_path / "clips.csv", EvaluationOptions(features=tmp_path / "features")
    )
    assert (result.rows["text to clip"]["R@1"], result.counts) == (1.0, {"clips": Count(3, 6)})
    assert result.missing == ("lost",) and len(result.unreadable) == 2
    assert "published" not in result.definition and result.published == ()
