"""Interleaved pages: from pairs, files and classes; several data sets in one batch."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from sayso.core.errors import SaysoError
from sayso.data.episodes import INVENTED, Episodes
from sayso.data.interleaved import (
    END,
    IMAGE,
    MixedPages,
    PageDataset,
    PageFile,
    PairPages,
)
from sayso.data.picture_pairs import read_picture_pairs


def spell(answer):
    return f"{IMAGE}{answer}{END}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("pages")
    rows = []
    for n in range(12):
        Image.new("RGB", (8, 6), (n * 20, 0, 0)).save(root / f"{n}.png")
        rows.append({"path": f"{n}.png", "text": "abc"[n % 3]})
    (root / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return root


def look(number, rng):
    return np.full((1, 2, 3), number, np.float16)


def test_a_captioned_picture_is_a_page(folder):
    pages = PairPages(read_picture_pairs(folder / "pairs.jsonl"), spell)
    text, media = pages.page(4, np.random.default_rng(0))
    assert (text, media) == ("<image>b<|endofchunk|>", (4,))
    assert pages.texts() == {spell(letter) for letter in "abc"}
    assert pages.read(4, 6)[0].size == (8, 6)
    assert (len(pages), pages.media) == (12, 12)
    example = PageDataset(pages, look).sample(4, np.random.default_rng(0))[0]
    assert example["text"] == text
    assert [int(one[0, 0, 0]) for one in example["pictures"]] == [4]


def test_episodes_show_two_classes_and_ask_for_one_of_them(folder):
    pairs = read_picture_pairs(folder / "pairs.jsonl")
    pages, asked_side = Episodes(pairs, spell, shots=2), []
    for seed in range(40):
        text, media = pages.page(seed, np.random.default_rng(seed))
        names = [part.removeprefix(IMAGE) for part in text.replace("\n", "").split(END)[:-1]]
        classes = [pairs.captions(picture)[0] for picture in media]
        assert len(media) == len(set(media)) == 5
        assert len(set(names)) == len(set(classes)) == 2
        assert set(names) <= set(INVENTED)
        assert dict(zip(classes, names, strict=True)) == dict(zip(classes[:-1], names[:-1], strict=True))
        assert sorted(classes[:4].count(one) for one in set(classes)) == [2, 2]
        asked_side.append(names[-1] == names[0])
    assert 5 < sum(asked_side) < 35
    with pytest.raises(SaysoError, match="need two classes of 5 pictures"):
        Episodes(pairs, spell, shots=4)


def test_a_file_of_pages_gives_pictures_clips_and_what_is_wrong(folder, tmp_path, shared_data):
    video = next(
        path for path in sorted((shared_data / "videos").glob("*.mp4")) if "corrupt" not in path.name
    )
    lines = [
        json.dumps({"text": "one <image> two <image>", "images": [str(folder / "1.png"), f"{video}@0-0.5"]}),
        "",
        "no json",
        json.dumps({"text": "no picture"}),
        json.dumps({"text": "<image>", "images": []}),
        json.dumps({"text": "again <image>", "images": [str(folder / "1.png")]}),
    ]
    (tmp_path / "pages.jsonl").write_text("\n".join(lines))
    pages = PageFile(tmp_path / "pages.jsonl")
    assert (len(pages), pages.media, len(pages.failures)) == (2, 2, 3)
    assert "line 5 has 1 <image> marks and 0 images" in pages.failures[2].error
    assert pages.page(1, np.random.default_rng(0)) == ("again <image>", (0,))
    assert len(pages.read(0, 6)) == 1
    assert len(pages.read(1, 32)) == 8
    (tmp_path / "none.jsonl").write_text("[]\n")
    with pytest.raises(SaysoError, match="holds no page"):
        PageFile(tmp_path / "none.jsonl")
    with pytest.raises(SaysoError, match="there is nothing at this path"):
        PageFile(tmp_path / "missing.jsonl")


def test_several_data_sets_are_in_every_item(folder):
    pairs = PairPages(read_picture_pairs(folder / "pairs.jsonl"), spell)
    mixed = MixedPages([PageDataset(pairs, look), PageDataset(pairs, look, ahead=1.0)], [3, 1])
    assert (len(mixed), mixed.group) == (4, 4)
    seen = []
    for item in range(4):
        examples = mixed.sample(item, np.random.default_rng(item))
        assert [one["source"] for one in examples] == [0, 0, 0, 1]
        seen += [int(one["pictures"][0][0, 0, 0]) for one in examples[:3]]
    assert seen == list(range(12))
    assert mixed.sample(1, np.random.default_rng(5))[3]["pictures"][0].tolist() == (
        mixed.sample(1, np.random.default_rng(5))[3]["pictures"][0].tolist()
    )
    for wrong in ([1], [1, 0]):
        with pytest.raises(SaysoError, match="as many shares"):
            MixedPages(mixed.datasets, wrong)
