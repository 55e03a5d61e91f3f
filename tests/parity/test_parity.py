"""Our numbers beside those of the authors' own code, on inputs that anybody can compute (``inputs.py``).

``golden.json`` holds numbers only. It was made on the CPU, in torch 2, by running unchanged the classes and
functions of the public code, with weights and inputs of ``inputs.py``:

s3d         S3D of s3dg.py, S3D_HowTo100M b8cd0bb (released stem, lower-cased texts of 16 words) and
            MIL-NCE_HowTo100M b282b15 (plain stem, texts as they stand, split by its loader, 30 words)
howto100m   Net of model.py, howto100m 50af0ff (``cuda()`` made a no-op here and in the losses)
mil_nce     MILNCELoss of loss.py, MIL-NCE_HowTo100M b282b15; gradients by autograd, float64
max_margin  MaxMarginRankingLoss of loss.py, howto100m 50af0ff, over cosines; gradients by autograd
bags        _find_nearest_candidates, and the clamped numbers that _get_text reads, of video_loader.py
joined      the first and the last caption that are joined by _get_single_text of youtube_dataloader.py,
            howto100m 50af0ff
retrieval   compute_metrics of metrics.py
dp          dp.pyx, CrossTask 9e6fdcc, with its C types taken off and run as Python (no Cython here);
            with as many seconds as steps it places none, which is not among the golden ones
crosstask   read_assignment and get_recalls, CrossTask 9e6fdcc, of steps that stand evenly in all
            annotation files of the release; a video ends with its last annotation
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
import inputs

from sayso.data.bags import bag_of, joined_captions
from sayso.data.corpus import CorpusBuilder
from sayso.data.datasets.crosstask import read_segments, read_tasks, truth
from sayso.data.features import FeatureClips
from sayso.encoders.published import convert_published
from sayso.evaluation.placed_steps import uniform
from sayso.losses import max_margin, mil_nce
from sayso.metrics.retrieval import retrieval
from sayso.metrics.steps import mean_recall, step_recall
from sayso.models import HowTo100MNet
from sayso.solvers.ordered_path import ordered_paths

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())


def check(found, golden, **tolerance):
    """Compare a vector (D,) with its first numbers, its norm and its sum."""
    found = np.asarray(found, np.float64)
    sizes = [float(np.linalg.norm(found)), float(found.sum())]
    expected = golden["first"] + [golden["norm"], golden["sum"]]
    np.testing.assert_allclose([*found[: len(golden["first"])], *sizes], expected, **tolerance)


@pytest.mark.parametrize("stem", ["released", "open"])
def test_converted_checkpoints_answer_as_the_public_networks(stem, tmp_path):
    import plain_s3d

    shapes = plain_s3d.shapes(depth=stem == "released") | plain_s3d.text_shapes(len(inputs.WORDS))
    weights = {
        key: torch.tensor(inputs.weight(key, shape), dtype=torch.long if not shape else torch.float32)
        for key, shape in shapes.items()
    }
    np.save(tmp_path / "s3d_dict.npy", np.array(inputs.WORDS))
    if stem == "open":
        weights = {"epoch": 7, "state_dict": {f"module.{key}": value for key, value in weights.items()}}
    torch.save(weights, tmp_path / "some.pth", _use_new_zipfile_serialization=stem == "open")  # else legacy
    model = convert_published(tmp_path / "some.pth", tmp_path / "s3d_dict.npy")
    golden = GOLDEN["s3d"][stem]
    read = model if stem == "released" else model.adapted(model.clip, 30)
    for found, expected in zip(read.encode_text(list(inputs.TEXTS)), golden["texts"], strict=True):
        check(found, expected, rtol=1e-4, atol=2e-5)
    clip = torch.tensor((inputs.numbers((1, 3, 16, 64, 64), 0.2) + 1) / 2, dtype=torch.float32)
    with torch.inference_mode():
        check(model.net.video(clip)[0], golden["video"], rtol=1e-3, atol=1e-4)
        check(model.net.video.features(clip)[0], golden["mixed_5c"], rtol=1e-3, atol=1e-4)


def test_howto100m_compares_as_the_public_network():
    net = HowTo100MNet(torch.zeros(2, 300), 40, 16, sentence=24).eval()
    state = net.state_dict()
    named = {
        key: torch.tensor(inputs.weight(key, tuple(value.shape))).to(value.dtype)
        for key, value in state.items()
        if key != "word_vectors.weight"
    }
    vectors = torch.tensor(inputs.weight("we", (5, 30, 300)), dtype=torch.float32).reshape(150, 300)
    net.word_vectors = torch.nn.Embedding.from_pretrained(vectors)
    net.load_state_dict(named | {"word_vectors.weight": vectors})
    features = torch.tensor(inputs.numbers((5, 40), 0.1), dtype=torch.float32)
    with torch.inference_mode():
        video, text = net(features, torch.arange(150).reshape(5, 30))
    np.testing.assert_allclose(text @ video.T, GOLDEN["howto100m"]["similarity"], rtol=1e-4, atol=1e-5)


def leaf(shape, phase):
    return torch.tensor(inputs.numbers(shape, phase), requires_grad=True)


def check_gradients(video, text, golden, rtol):
    for found, first in ((video.grad, golden["d_video"]), (text.grad, golden["d_text"])):
        np.testing.assert_allclose(found.flatten()[:6], first, rtol=rtol, atol=1e-9)
    np.testing.assert_allclose([video.grad.norm(), text.grad.norm()], golden["norms"], rtol=rtol)


@pytest.mark.parametrize("golden", GOLDEN["mil_nce"])
def test_mil_nce_with_positives_counted_twice_is_the_public_loss(golden):
    B, K, D, phase = (golden[key] for key in ("B", "K", "D", "phase"))
    video, text = leaf((B, D), phase), leaf((B * K, D), phase + 0.5)
    loss = mil_nce(video, text.view(B, K, D), double_count=True)
    loss.backward()
    assert loss.item() == pytest.approx(golden["loss"], rel=1e-12)
    check_gradients(video, text, golden, 1e-10)


@pytest.mark.parametrize("golden", GOLDEN["max_margin"])
def test_max_margin_that_counts_its_own_pair_is_the_public_loss(golden):
    n, phase = golden["videos"] * golden["pairs"], golden["phase"]
    video, text = leaf((n, golden["D"]), phase), leaf((n, golden["D"]), phase + 0.5)
    unit = torch.nn.functional.normalize
    group = torch.arange(golden["videos"]).repeat_interleave(golden["pairs"])
    how = {"margin": golden["margin"], "intra": golden["intra"], "count_own": True}
    loss = max_margin(unit(video, dim=1), unit(text, dim=1), group, **how)
    loss.backward()
    assert loss.item() == pytest.approx(golden["loss"], rel=1e-6)  # its mask is float32
    check_gradients(video, text, golden, 1e-6)


@pytest.mark.parametrize("golden", GOLDEN["bags"])
def test_bags_of_the_window_rule_are_the_public_bags(golden):
    spans = inputs.spans(golden["captions"], golden["phase"])
    for index, expected in enumerate(golden["bags"]):
        found, distinct = bag_of(spans, index, golden["k"], "window")
        assert Counter(found.tolist()) == Counter(expected)
        assert found[0] == index
        assert len(set(found.tolist())) == distinct == len(set(found[:distinct].tolist()))


@pytest.mark.parametrize("golden", GOLDEN["joined"])
def test_captions_are_joined_as_the_public_loader_joins_them(golden):
    spans = inputs.spans(golden["captions"], golden["phase"])
    found = [joined_captions(spans, i, golden["min_time"]) for i in range(len(spans))]
    assert [[some[0], some[-1]] for some in found] == golden["first_last"]
    builder = CorpusBuilder()
    builder.add("v", "v", [(*span, f"w{i}") for i, span in enumerate(spans.tolist())])
    seconds = inputs.numbers((int(spans.max()) + 2, 4))
    source = SimpleNamespace(rate=1.0, read=lambda video: seconds)
    clips = FeatureClips(builder.finish(), [source], per_video=None, join_s=golden["min_time"])
    for item, (first, last) in enumerate(golden["first_last"]):
        (example,) = clips.sample(item, np.random.default_rng(0))
        assert example["texts"] == (" ".join(f"w{i}" for i in range(first, last + 1)),)
        pooled = seconds[int(spans[first, 0]) : int(spans[last, 1]) + 1].max(0)
        np.testing.assert_allclose(example["features"], pooled / np.linalg.norm(pooled), rtol=1e-6)


def test_ranks_without_ties_are_the_public_ranks():
    scores, golden = inputs.numbers((60, 60), 0.4) + 0.9 * np.eye(60), GOLDEN["retrieval"]
    found = retrieval(scores)
    assert [found[key] for key in ("R@1", "R@5", "R@10", "median_rank")] == pytest.approx(
        [golden[key] for key in ("R1", "R5", "R10", "MR")]
    )


@pytest.mark.parametrize("golden", GOLDEN["dp"])
def test_steps_are_placed_where_the_public_program_places_them(golden):
    (times,) = ordered_paths([inputs.costs(golden["T"], golden["K"], golden["phase"])])
    assert times.tolist() == golden["times"]


def test_recall_on_every_annotation_file(shared_data):
    release, golden = shared_data / "crosstask_release", GOLDEN["crosstask"]
    tasks = read_tasks(release / "tasks_primary.txt")
    even, files = {}, 0
    for path in sorted((release / "annotations").glob("*.csv")):
        task = path.stem.partition("_")[0]
        if task in tasks:
            steps = len(tasks[task].steps)
            segments = read_segments(path, steps)
            seconds = max([steps, *(int(np.ceil(segment.end)) for segment in segments)])
            even.setdefault(task, []).append((truth(segments, seconds, steps), uniform(seconds, steps)))
            files += 1
    found = step_recall(even)
    assert files == golden["files"]
    assert found == pytest.approx(golden["recalls"], abs=1e-15)
    assert mean_recall(found) == pytest.approx(golden["mean"], abs=1e-15)
