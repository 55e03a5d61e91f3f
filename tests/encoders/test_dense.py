"""Maps of where a query is: they pool to what is searched, equal plain computations, and point at things."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import toy
from sayso import load
from sayso.core.device import resolve_device
from sayso.core.errors import SaysoError
from sayso.data.tags_reader import read_boxes, read_tagged
from sayso.encoders import conse
from sayso.encoders.dense import DenseEncoder, conse_map, peak, resize_to_stride, similarity_map
from sayso.metrics.localization import pointed
from sayso.models import efficientnet_lite as lite0

PICTURE = np.random.default_rng(3).integers(0, 256, (60, 90, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def offline():
    return load("offline", device="cpu")


@pytest.fixture(scope="module")
def tower():
    return lite0.Lite0(resolve_device("cpu"))


def test_the_mean_over_grid_cells_is_what_the_picture_scores(tower):
    picture = resize_to_stride(PICTURE, 224, 224)
    logits = tower.logit_map(picture)
    assert logits.shape == (1000, 7, 7)
    assert torch.allclose(logits.mean((1, 2)), tower(picture[None])[0], atol=1e-3)
    with pytest.raises(ValueError, match="multiples of 32"):
        tower.logit_map(picture[:100])


def test_grid_cells_lie_where_they_are_in_the_picture(tower):
    """A change in one corner changes the scores of that quarter of the picture most."""
    plain = np.full((256, 320, 3), 128, np.uint8)
    marked = plain.copy()
    marked[:64, 256:] = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    change = (tower.logit_map(marked) - tower.logit_map(plain)).abs().sum(0)
    row, column = np.unravel_index(int(change.argmax()), change.shape)
    assert row < 4 and column >= 5


def test_the_map_is_conse_cell_by_cell(offline, tower):
    logits = tower.logit_map(resize_to_stride(PICTURE, lite0.SIZE, lite0.STRIDE))
    query = offline.encode_text(["a dog"])[0]
    found = conse_map(logits, query)
    classes = (conse.class_embeddings() - conse.mean_text()).astype(np.float64)
    for y, x in np.ndindex(*found.shape):
        raised = np.exp(logits[:, y, x].double().numpy() / conse.TEMPERATURE)
        vector = (raised / raised.sum()) @ classes
        assert found[y, x] == pytest.approx(vector @ query / np.linalg.norm(vector), abs=1e-5)


def test_words_and_their_embedding_give_the_same_map(offline):
    assert isinstance(offline, DenseEncoder)
    words = similarity_map(offline, Image.fromarray(PICTURE), "a dog")
    assert words.shape == (13, 20)
    assert words.dtype == np.float32
    assert np.array_equal(words, similarity_map(offline, PICTURE, offline.encode_text(["a dog"])[0]))


@pytest.mark.parametrize(
    ("size", "shape"), [((640, 480), (480, 640)), ((90, 60), (416, 640)), ((5, 900), (640, 32))]
)
def test_pictures_keep_their_shape(size, shape):
    assert resize_to_stride(Image.new("RGB", size), 640, 32).shape[:2] == shape


@pytest.mark.parametrize("kind", ["clip", "siglip", "siglip2"])
def test_a_lone_token_is_one_that_sees_itself_only(tiny, kind):
    """The whole grid at once, all but the diagonal masked in the last attention, gives the same map."""
    encoder = load(str(tiny[kind]), device="cpu")
    found = similarity_map(encoder, PICTURE, "red cat")
    model, query = encoder._model, encoder.encode_text(["red cat"])[0]
    whole = (
        PICTURE if kind == "siglip2" else np.asarray(Image.fromarray(PICTURE).resize((32, 32), Image.BICUBIC))
    )
    inputs = encoder._inputs([whole])
    with torch.inference_mode():
        tokens = masked_clip(model, inputs) if kind == "clip" else masked_siglip(model, inputs)
    h, w = (int(n) for n in inputs["spatial_shapes"][0]) if kind == "siglip2" else (4, 4)
    tokens = torch.nn.functional.normalize(tokens[: h * w], dim=1).numpy()
    assert found.shape == (h, w)
    assert found == pytest.approx((tokens @ query).reshape(h, w), abs=1e-4)
    if kind == "siglip2":
        assert w > h  # as the picture is


def masked_clip(model, inputs):
    vision = model.vision_model
    states = vision(**inputs, output_hidden_states=True).hidden_states[-2]
    alone = torch.full((17, 17), float("-inf")).fill_diagonal_(0)[None, None]
    vision.encoder.layers[-1].self_attn.config._attn_implementation = "eager"
    last = vision.encoder.layers[-1](states, alone)
    return model.visual_projection(vision.post_layernorm(last))[0, 1:]


def masked_siglip(model, inputs):
    """The pooling head, once for each token, with all others masked."""
    head, states = model.vision_model.head, model.vision_model(**inputs).last_hidden_state
    pooled = []
    for n in range(states.shape[1]):
        others = torch.ones(1, states.shape[1], dtype=torch.bool)
        others[0, n] = False
        seen = head.attention(head.probe, states, states, key_padding_mask=others)[0]
        pooled.append((seen + head.mlp(head.layernorm(seen)))[0, 0])
    return torch.stack(pooled)


def test_the_peak_is_the_middle_of_the_best_cell():
    scores = np.zeros((2, 4), np.float32)
    scores[1, 2] = 1
    assert peak(scores) == (0.625, 0.75)


def test_a_model_that_cannot_tell_says_so():
    with pytest.raises(SaysoError, match="the model colour tells what a picture shows, but not where"):
        similarity_map(toy.ColourEncoder(), PICTURE, "red")


@pytest.mark.slow
def test_real_pictures_are_pointed_at_better_than_by_their_middle(offline, shared_data):
    """The peak for a class's name, against the middle of the picture, classes of ten pictures or more."""
    tagged = read_tagged(shared_data / "coco")
    boxes = read_boxes(shared_data / "coco", tagged)
    labels = np.array([picture.labels for picture in tagged.pictures])
    classes = np.flatnonzero((labels == 1).sum(0) >= 10)
    queries = offline.encode_text([tagged.names[k] for k in classes])
    peaks, middles = np.zeros((*labels.shape, 2)), np.zeros((*labels.shape, 2))
    for n, picture in enumerate(tagged.pictures):
        image = Image.open(picture.path).convert("RGB")
        middles[n] = np.array(image.size) / 2
        logits = offline._tower().logit_map(resize_to_stride(image, 640, lite0.STRIDE))
        for k, query in zip(classes, queries, strict=True):
            peaks[n, k] = np.array(peak(conse_map(logits, query))) * image.size
    rates = []
    for points in (peaks, middles):
        right, void = pointed(points, labels, boxes)
        counted = (labels == 1) & ~void
        rates.append(np.mean([right[counted[:, k], k].mean() for k in classes]))
    assert rates[0] > rates[1] + 0.1
