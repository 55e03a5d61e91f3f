"""Small rules that a wrong sign or a forgotten step once broke without any test noticing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from sayso.alignment.timing import _together
from sayso.encoders.conse import class_embeddings, embed_sentences
from sayso.serve.tracks import _not_before_zero
from sayso.systems.crosstask.components import components_of
from sayso.text.captions.caption_file import read_subtitles


@pytest.mark.parametrize(("end", "dur", "ends"), [("4s", "2s", 3.0), ("2s", "9s", 2.0)])
def test_a_caption_of_ttml_with_an_end_and_a_length_ends_at_the_earlier(tmp_path, end, dur, ends):
    path = tmp_path / "x.ttml"
    path.write_text(
        '<tt xmlns="http://www.w3.org/ns/ttml"><body><div>'
        f'<p begin="1s" end="{end}" dur="{dur}">hello</p></div></body></tt>'
    )
    (caption,) = read_subtitles(path)
    assert (caption.span.start, caption.span.end) == (1.0, ends)


def test_sentences_are_moved_by_the_mean_of_the_classes_and_then_have_length_one():
    sentences = np.random.default_rng(0).normal(size=(3, 384)).astype(np.float32)
    sentences /= np.linalg.norm(sentences, axis=1, keepdims=True)
    moved = sentences - class_embeddings().mean(0)
    expected = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    np.testing.assert_allclose(embed_sentences(sentences), expected, atol=1e-5)
    assert np.abs(expected - sentences).max() > 1e-3, "the mean is not 0"


def test_a_word_that_a_step_repeats_is_one_component():
    assert components_of("7", "cut and cut again", "words") == ["cut", "and", "again"]
    assert components_of("7", "cut and cut", "task_words") == ["7/cut", "7/and"]


def test_sound_before_the_start_of_a_stream_is_left_out():
    packets = [SimpleNamespace(pts=pts) for pts in (-1024, None, 0, 1024)]
    assert [packet.pts for packet in _not_before_zero(packets)] == [0, 1024]


def test_words_far_from_the_rest_of_a_speech_do_not_stretch_it():
    assert _together(np.array([300, 12, 10, 11])).tolist() == [10, 11, 12]
    assert _together(np.array([0, 60, 121])).tolist() == [0, 60]
