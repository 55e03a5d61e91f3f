"""Clips are cut where their captions are, and ranked as a plain loop ranks them."""

from __future__ import annotations

import numpy as np
import pytest

import toy
from sayso.core.errors import SaysoError
from sayso.core.types import Span
from sayso.evaluation.clip_retrieval import CLIP_RETRIEVAL, read_clips
from sayso.evaluation.evaluator import Count, EvaluationOptions
from sayso.evaluation.windows import window_starts
from sayso.media import read_clip
from sayso.metrics import retrieval


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    colours = sorted(toy.COLOURS)[:4]
    toy.make_video(folder / "a.mp4", colours, 4)
    toy.make_video(folder / "b.mp4", colours[::-1], 4)
    rows = [f"a.mp4,{4 * k},{4 * k + 4},{colour}" for k, colour in enumerate(colours)]
    rows += [f"b.mp4,4,8,{colours[1]}", "gone.mp4,0,4,red", "a.mp4,,,"]
    (folder / "clips.csv").write_text("path,start_s,end_s,text\n" + "\n".join(rows) + "\n")
    return folder / "clips.csv"


@pytest.mark.parametrize("windows", [1, 3])
def test_ranks_what_a_plain_loop_cuts(manifest, windows):
    encoder, (clips, wrong) = toy.ColourEncoder(), read_clips(manifest)
    assert not wrong
    result = CLIP_RETRIEVAL(encoder, manifest, EvaluationOptions(windows=windows))
    vectors = []
    for clip in clips[:5]:
        spec = encoder.clip
        cuts = [
            read_clip(
                clip.path, start, start + spec.duration, frames=spec.frames, size=spec.size, crop=spec.crop
            )
            for start in window_starts(clip.span, spec.duration, windows)
        ]
        vectors.append(np.mean([encoder.encode_video(cut.frames[None])[0] for cut in cuts], 0))
    texts = encoder.encode_text([clip.text for clip in clips[:5]])
    assert result.rows["text to clip"] == pytest.approx(retrieval(texts @ np.stack(vectors).T))
    assert result.rows["clip to text"] == pytest.approx(retrieval(np.stack(vectors) @ texts.T))
    assert result.counts == {"clips": Count(5, 6)}
    assert [path.rpartition("/")[2] for path in result.unreadable] == ["gone.mp4"]
    assert result.primary.value == result.rows["text to clip"]["R@10"] >= 0.6


def test_a_wrong_row_is_told_and_the_rest_is_measured(manifest, tmp_path):
    rows = manifest.read_text().replace("a.mp4", str(manifest.parent / "a.mp4"))
    (tmp_path / "clips.csv").write_text(rows.replace("b.mp4,4,8", "b.mp4,8,4"))
    result = CLIP_RETRIEVAL(toy.ColourEncoder(), tmp_path / "clips.csv")
    assert result.counts == {"clips": Count(4, 6)}
    assert [("b.mp4 is wrong" in lost, "gone.mp4" in lost) for lost in result.unreadable] == [
        (True, False),
        (False, True),
    ]


def test_windows_lie_within_the_span_if_they_fit():
    assert window_starts(Span(10, 20), 4, 1) == [13]
    assert window_starts(Span(10, 20), 4, 4) == [10, 12, 14, 16]
    assert window_starts(Span(10, 12), 4, 1) == [9]
    assert window_starts(Span(0, 2), 4, 1) == [0]
    assert window_starts(Span(10, 12), 4, 2) == [10, 10]


def test_refuses_manifests_without_clips(tmp_path):
    (tmp_path / "none.csv").write_text("path,start_s,end_s,text\na.mp4,0,1,\n")
    with pytest.raises(SaysoError, match="nothing to retrieve"):
        read_clips(tmp_path / "none.csv")
    (tmp_path / "wrong.csv").write_text("path,start_s,end_s,text\na.mp4,5,1,hello\n")
    with pytest.raises(SaysoError, match=r"the row of .*a\.mp4 is wrong"):
        read_clips(tmp_path / "wrong.csv")
    (tmp_path / "gone.csv").write_text("path,start_s,end_s,text\na.mp4,0,1,hello\n")
    with pytest.raises(SaysoError, match="none of the 1 clips can be read"):
        CLIP_RETRIEVAL(toy.ColourEncoder(), tmp_path / "gone.csv")
