"""Named drawings as packages lay them: who drew what, what it is called, and what is left out."""

from __future__ import annotations

import hashlib
import json

import pytest
from PIL import Image

from sayso.core.errors import SaysoError
from sayso.data.datasets.named_drawings import NamedDrawing, plain_name, read_clip_art, read_emoji

ROWS = [
    ("HOT BEVERAGE", ["coffee"], "2615", "Food & Drink", True, True),
    ("T-SHIRT", ["shirt", "tshirt"], "1F455", "Objects", True, False),
    ("France Flag", ["flag-fr"], "1F1EB", "Flags", True, True),
]
SVG = "<dc:title>{}</dc:title><dc:subject><rdf:Bag>{}</rdf:Bag></dc:subject><dc:title>Agent</dc:title>"


def emoji(root):
    table = [
        {
            "name": name, "short_name": short[0], "short_names": short, "unified": code, "category": category,
            "image": f"{code.lower()}.png", "non_qualified": None, "has_img_google": google,
            "has_img_twitter": twitter,
        }
        for name, short, code, category, google, twitter in ROWS
    ]  # fmt: skip
    for artist in ("google", "twitter"):
        folder = root / f"emoji-datasource-{artist}" / "img" / artist / "64"
        folder.mkdir(parents=True)
        (folder.parents[2] / "emoji.json").write_text(json.dumps(table))
        for row in table:
            Image.new("RGB", (8, 8)).save(folder / row["image"])
    fluent = root / "@lobehub" / "fluent-emoji-3d" / "assets"
    fluent.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(fluent / "2615.webp")
    return root


def test_emoji_of_three_artists(tmp_path):
    found = read_emoji(emoji(tmp_path))
    assert [(one.artist, one.names, one.thing) for one in found] == [
        ("google", ("hot beverage", "coffee"), "coffee"),
        ("twitter", ("hot beverage", "coffee"), "coffee"),
        ("fluent", ("hot beverage", "coffee"), "coffee"),
        ("google", ("t shirt", "shirt", "tshirt"), "shirt"),
    ]
    assert all(one.path.is_file() for one in found)


def test_what_is_held_out_follows_from_the_thing_alone(tmp_path):
    things = [f"thing {n}" for n in range(700)]
    held = [NamedDrawing(tmp_path, ("x",), "google", thing).held_out for thing in things]
    assert held == [int(hashlib.sha256(thing.encode()).hexdigest()[:2], 16) % 7 == 0 for thing in things]
    assert 70 < sum(held) < 130


def test_clip_art_has_the_names_of_its_svg(tmp_path):
    root = tmp_path / "usr/share/openclipart"
    told = {
        "animals/horse_01": ("WildHorse 2", ["mammal", "hash(0x8a)", "horse"]),
        "tools/plain": ("", ["(c)"]),
        "shapes/star": ("Star", ["star"]),
    }
    for place, (title, tags) in told.items():
        for kind in ("png", "svg"):
            (root / kind / place).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(root / "png" / f"{place}.png")
        bag = "".join(f"<rdf:li>{tag}</rdf:li>" for tag in tags)
        (root / "svg" / f"{place}.svg").write_text(SVG.format(title, bag))
    Image.new("RGB", (8, 8)).save(root / "png/animals/nameless.png")
    Image.new("1", (4000, 4000)).save(root / "png/animals/large.png")
    (root / "svg/animals/large.svg").write_text(SVG.format("Large", ""))
    found = read_clip_art(tmp_path)
    assert [one.names for one in found] == [("wild horse", "mammal, horse")]


def test_names_are_plain():
    assert plain_name("flag-FR_of: #France") == "flag fr of france"


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(SaysoError, match="npm install"):
        read_emoji(tmp_path)
    with pytest.raises(SaysoError, match="holds no clip art"):
        read_clip_art(tmp_path)
