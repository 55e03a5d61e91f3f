"""The offline encoder: its towers equal the published networks, its bridge the formula of ConSE."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from sayso import load
from sayso.core.errors import SaysoError, Unavailable
from sayso.encoders import Encoder, conse
from sayso.models import efficientnet_lite as lite0
from sayso.models import minilm
from sayso.models.convolution import computes_bfloat16

TEXTS = [
    "a cat",
    "Two dogs, one of them brown, run after a red ball on the beach!",
    "",
    "naïve café № 5 日本語",
    "word " * 400,
]


def class_names():
    return [line.split("\t")[1] for line in conse.CLASSES_TSV.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load("offline", device="cpu")


def test_is_an_encoder_that_says_what_it_is(encoder):
    assert isinstance(encoder, Encoder)
    assert (encoder.name, encoder.dim, encoder.similarity) == ("offline", 384, "cosine")
    assert (encoder.clip.size, encoder.clip.duration) == (224, 4.0)
    assert len(encoder.sha256) == 64


def test_identity_changes_with_the_recipe_and_the_classes(encoder, monkeypatch):
    before = encoder.sha256
    monkeypatch.setattr(conse, "RECIPE", "another")
    assert encoder.sha256 != before
    monkeypatch.undo()
    monkeypatch.setattr(conse, "classes_sha256", lambda: "0" * 64)
    assert encoder.sha256 != before


def test_minilm_equals_transformers():
    import transformers

    model = transformers.BertModel.from_pretrained(minilm.weights_folder(), dtype=torch.float64).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(minilm.weights_folder())
    expected = []
    for text in TEXTS:
        tokens = tokenizer([text], truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            mean = model(**tokens).last_hidden_state[0].mean(0).numpy()
        expected.append(mean / np.linalg.norm(mean))
    np.testing.assert_allclose(minilm.MiniLM()(TEXTS), expected, atol=2e-6)


def test_gelu_equals_the_exact_one():
    x = np.linspace(-12, 12, 4001, dtype=np.float32)
    expected = torch.nn.functional.gelu(torch.from_numpy(x).double()).numpy()
    np.testing.assert_allclose(minilm._gelu(x), expected, atol=1e-6)


def test_lite0_equals_the_published_network(pictures):
    """The package's own model, eager, on noise and on a smooth picture of 224 x 224."""
    from efficientnet_lite_pytorch import EfficientNet

    from sayso.encoders.preprocess import as_square

    published = EfficientNet.from_name("efficientnet-lite0")
    published.load_state_dict(torch.load(lite0.lite0_file(), weights_only=True))
    noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    batch = np.stack([noise, *(as_square(picture, 224, "center") for picture in pictures[:1])])
    with torch.inference_mode():
        x = (torch.from_numpy(batch).permute(0, 3, 1, 2).float() - 127) / 128
        expected = published.eval()(x).numpy()
    logits = lite0.Lite0(torch.device("cpu"))(batch).numpy()
    assert np.abs(logits - expected).max() < 1e-4 * np.abs(expected).max()


def test_conse_equals_the_formula_class_by_class():
    logits = np.random.default_rng(0).normal(0, 4, (3, 1000))
    classes = conse.class_embeddings().astype(np.float64)
    mean = classes.mean(0)
    for row, embedding in zip(
        logits, conse.embed_logits(torch.tensor(logits, dtype=torch.float32)), strict=True
    ):
        weights = [float(np.exp(z / 2)) for z in row]
        v = sum(w / sum(weights) * (t - mean) for w, t in zip(weights, classes, strict=True))
        np.testing.assert_allclose(embedding.numpy(), v / np.linalg.norm(v), atol=1e-5)


def test_the_shipped_class_embeddings_are_those_of_the_class_texts():
    """The committed file, made by scripts/imagenet_classes.py, is what the text tower says today."""
    rows = np.random.default_rng(0).choice(1000, 40, replace=False)
    texts = conse.class_texts()
    np.testing.assert_allclose(
        conse.class_embeddings()[rows], minilm.MiniLM()([texts[i] for i in rows]), atol=2e-4
    )


def test_there_are_1000_classes_each_with_a_name_of_its_own():
    names = class_names()
    assert len(names) == len(set(names)) == 1000
    assert (names[0], names[281], names[409], names[963], names[999]) == (
        "tench", "tabby", "analog clock", "pizza", "toilet tissue"
    )  # fmt: skip
    assert conse.class_texts()[0].startswith("a photo of a tench, freshwater")
    assert sum(text.startswith("a photo of an ") for text in conse.class_texts()) > 50


def test_a_text_goes_where_its_class_is(encoder):
    classes = conse.embed_sentences(conse.class_embeddings())
    for text, name in (("a soccer ball", "soccer ball"), ("zebras", "zebra"), ("pizza", "pizza")):
        found = int(np.argmax(classes @ encoder.encode_text([text])[0]))
        assert class_names()[found] == name


def test_batches_and_kinds_of_picture_do_not_matter(encoder, pictures):
    from PIL import Image

    together = encoder.encode_images(pictures)
    assert together.shape == (5, 384)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    one_by_one = np.concatenate([encoder.encode_images([Image.fromarray(p)]) for p in pictures])
    np.testing.assert_allclose(together, one_by_one, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1, 224, 224), (2, 3, 30, 57), (1, 5, 300, 200)])
def test_a_clip_is_the_mean_of_its_frames(encoder, shape):
    frames = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for clip, embedding in zip(frames, encoder.encode_video(frames), strict=True):
        mean = encoder.encode_images(list(clip)).astype(np.float64).mean(0)
        np.testing.assert_allclose(embedding, mean / np.linalg.norm(mean), atol=1e-5)


def test_nothing_in_nothing_out(encoder):
    assert encoder.encode_text([]).shape == (0, 384)
    assert encoder.encode_images([]).shape == (0, 384)
    assert encoder.encode_video(np.empty((0, 2, 8, 8, 3), np.uint8)).shape == (0, 384)


def test_threads_do_not_disturb_each_other(pictures):
    encoder = load("offline", device="cpu")  # the towers are loaded by the threads
    with ThreadPoolExecutor(6) as pool:
        texts = [pool.submit(encoder.encode_text, [TEXTS[i % 4]]) for i in range(8)]
        images = [pool.submit(encoder.encode_images, [pictures[i % 5]]) for i in range(5)]
        for i, job in enumerate(texts):
            np.testing.assert_allclose(job.result()[0], encoder.encode_text([TEXTS[i % 4]])[0], atol=1e-5)
        for i, job in enumerate(images):
            np.testing.assert_allclose(
                job.result()[0], encoder.encode_images([pictures[i % 5]])[0], atol=1e-5
            )


def test_other_weights_are_not_loaded(monkeypatch):
    monkeypatch.setattr(lite0, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(Unavailable, match="not the expected ones"):
        load("offline").encode_images([np.zeros((8, 8, 3), np.uint8)])
    monkeypatch.setattr(minilm, "TOKENIZER_SHA256", "0" * 64)
    with pytest.raises(Unavailable, match=r"tokenizer.json are not the expected ones"):
        load("offline").encode_text(["x"])


def test_a_wrong_device_is_told():
    with pytest.raises(SaysoError, match="device 'warp' cannot be used"):
        load("offline", device="warp").encode_images([np.zeros((8, 8, 3), np.uint8)])


def test_a_search_loads_no_torch():
    program = (
        "import sys, sayso; e = sayso.load('offline'); e.encode_text(['a cat']); e.sha256;"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_finds_the_pictures_of_captions(encoder, shared_data):
    """Must show 1 of issue 2, on real captioned pictures."""
    from sayso.evaluation.image_retrieval import IMAGE_RETRIEVAL

    result = IMAGE_RETRIEVAL(encoder, shared_data / "coco" / "captions.json")
    assert (result.counts["captions"].used, result.counts["pictures"].used) == (641, 128)
    found = result.rows["text to picture"]
    assert found["R@1"] >= 0.35
    assert found["R@5"] >= 0.75
    assert found["R@10"] >= 0.85


def test_finds_objects_by_a_word(encoder, shared_data):
    """Each of these, as people type it, has its best picture among those that show it."""
    from PIL import Image

    folder = shared_data / "coco"
    instances = json.loads((folder / "instances.json").read_text())
    number = {category["name"]: category["id"] for category in instances["categories"]}
    shown: dict[int, set[int]] = {}
    for box in instances["annotations"]:
        shown.setdefault(box["category_id"], set()).add(box["image_id"])
    images = instances["images"]
    embeddings = encoder.encode_images([Image.open(folder / "images" / i["file_name"]) for i in images])
    words = {"a cat": "cat", "pizza": "pizza", "a bus": "bus", "zebra": "zebra", "teddy bears": "teddy bear"}
    for text, name in words.items():
        best = int(np.argmax(embeddings @ encoder.encode_text([text])[0]))
        assert images[best]["id"] in shown[number[name]], text


@pytest.mark.slow
def test_finds_videos_by_what_happens(encoder, shared_data):
    """Clips of 4 s at 1 frame a second; the right video comes first."""
    import av

    names, clips = [], []
    for path in sorted(Path(shared_data / "videos").glob("*")):
        try:
            frames = _seconds(path)
        except (av.FFmpegError, UnicodeDecodeError):
            continue
        for start in range(0, len(frames), 4):
            names.append(path.name)
            clips.append(encoder.encode_video(np.stack(frames[start : start + 4])[None])[0])
    for text, name in (
        ("a person flipping a pancake in a pan", "flipping_a_pancake"),
        ("juggling a soccer ball", "SoccerJuggling"),
    ):
        best = int(np.argmax(np.array(clips) @ encoder.encode_text([text])[0]))
        assert name in names[best], text


def _seconds(path: Path) -> list[np.ndarray]:
    """Return the first frame of every second."""
    import av

    frames: list[np.ndarray] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if (frame.time or 0) >= len(frames):
                frames.append(frame.to_ndarray(format="rgb24"))
    return frames


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("faithful", [True, False])
def test_computes_in_bfloat16_only_where_it_is_native_and_faithful(native, faithful, monkeypatch):
    from sayso.encoders import offline

    monkeypatch.setattr(offline, "computes_bfloat16", lambda device: native)
    monkeypatch.setattr(offline, "is_faithful", lambda exact, fast: faithful)
    monkeypatch.setattr(lite0.Lite0, "__call__", lambda self, squares: torch.ones(len(squares), 1000))
    tower = offline.OfflineEncoder("cpu")._tower()[0]
    wanted = torch.bfloat16 if native and faithful else torch.float32
    assert tower.blocks[-1][0].weight.dtype == wanted
    assert tower.stem.weight.dtype == torch.float32


@pytest.mark.skipif(
    not computes_bfloat16(torch.device("cpu")), reason="this processor does not compute in bfloat16"
)
def test_lite0_in_bfloat16_keeps_its_embeddings_and_does_not_depend_on_the_batch(pictures):
    from sayso.encoders.preprocess import as_square

    squares = [as_square(picture, 224, "center") for picture in pictures]
    flat = [np.full((224, 224, 3), shade, np.uint8) for shade in (0, 40, 128, 255)]
    batch = np.stack([*squares, *(picture // 4 for picture in squares), *flat])
    exact = lite0.Lite0(torch.device("cpu"))
    fast = exact.in_bfloat16()
    embeddings = [conse.embed_logits(net(batch)) for net in (exact, fast)]
    assert torch.cosine_similarity(*embeddings).min() >= 0.999
    features, early = fast.levels(batch)
    assert features.dtype == early.dtype == torch.float32
    for count in (1, 3, 7):
        assert torch.equal(fast.features(batch[:count]), features[:count])
    assert all(layer.weight.dtype == torch.float32 for block in exact.blocks for layer in block)


def test_float32_is_kept_where_bfloat16_has_no_kernel(monkeypatch):
    from sayso.encoders import offline

    def refuse(*given):
        raise RuntimeError("could not create a primitive")

    monkeypatch.setattr(offline, "computes_bfloat16", lambda device: True)
    monkeypatch.setattr("sayso.models.convolution.convolve", refuse)
    monkeypatch.setattr("sayso.models.convolution.fuses", lambda device, dtype: dtype == torch.bfloat16)
    tower = offline.OfflineEncoder("cpu")._tower()[0]
    assert tower.blocks[-1][0].weight.dtype == torch.float32
