"""A person's home as the pages call it, made of what ``sayso sample`` draws."""

from __future__ import annotations

import csv
import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np

from generators.colour_balls import save_parts
from generators.vlms import save_vlm
from sayso.toyworld import write_sample
from video_host import VideoHost

ROOT = Path(__file__).parents[1]
TITLES = ("Peel Garlic", "Fold a Paper Crane")
NAMES = {  # what the pages call it -> what the sample has
    "how-to": "tyre-change",
    "talk.mp4": "howto/video-1.mp4",
    "new.mp4": "howto/video-2.mp4",
    "one-of-them.mp4": "howto/video-2.mp4",
    "film.mp4": "film/film.mp4",
    "film.txt": "film/film.txt",
    "film.srt": "film/film.srt",
    "tagged-pictures": "tagged/train",
    "images": "captioned/test/images",
    "beach.jpg": "captioned/test/images/0000.png",
    "street.jpg": "captioned/test/images/0001.png",
    "new.jpg": "captioned/test/images/0002.png",
    "COCO": "tagged/test",
    "FOLDER_OF_CLASS_FOLDERS": "captioned/zero_shot",
    "FEATURES": "RELEASE/features",
    "CONSTRAINTS": "RELEASE/constraints",
    "captions.json": "captioned/test/captions.json",
    "test.json": "captioned/test/captions.json",
    "others.json": "captioned/test/captions.json",
}
TEXTS = {
    "corrections.json": '{"0": "ANNA"}',
    "fixed.json": '{"0": "ANNA"}',
    "names.txt": "cup\nkey\nfish\n",
    "templates.txt": "a picture of a {c}.\n",
    "titles.txt": "\n".join(TITLES),
    "corrected.csv": f"title,visual\n{TITLES[0]},0\n",
}


def make_home(home: Path) -> Path:
    """Draw the sample and put what the pages name beside it; links are relative, so that it can be copied.

    Args:
        home: a new folder.
    """
    write_sample(home)
    for folder in ("Videos", "Videos/2019", "Videos/private", "tyre-change", "Pictures", "coco"):
        (home / folder).mkdir()
    for number, folder in enumerate(("Videos", "Videos/2019", "Videos/private", *["tyre-change"] * 4)):
        for path in (home / "howto").glob(f"video-{number}.*"):
            shutil.copy(path, home / folder)
    for path in sorted((home / "captioned/test/images").glob("*.png")):
        shutil.copy(path, home / "Pictures")
    (home / "Videos/silent.mp4").write_bytes((home / "film/film.mp4").read_bytes())
    (home / "features").mkdir()
    for path in (home / "tyre-change").glob("*.mp4"):
        np.save(home / "features" / f"{path.stem}.npy", np.random.default_rng(0).normal(size=(90, 16)))
    release_of_crosstask(home / "RELEASE")
    for name, target in NAMES.items():
        (home / name).symlink_to(target)
    (home / "coco/images").symlink_to("../captioned/test/images")
    for name, text in TEXTS.items():
        (home / name).write_text(text, encoding="utf-8")
    captioned_files(home)
    (home / "parts").mkdir()
    save_parts(home / "parts")
    save_vlm(home / "vlm", "llava")
    return home


def captioned_files(home: Path) -> None:
    """Write shards, clips with texts, dialogues and examples to learn from."""
    told = json.loads((home / "captioned/train/captions.json").read_text(encoding="utf-8"))
    files = {image["id"]: image["file_name"] for image in told["images"]}
    for folder in ("shards", "cc3m"):
        (home / folder).mkdir()
        for one in told["annotations"]:
            path = home / folder / files[one["image_id"]]
            shutil.copy(home / "captioned/train/images" / path.name, path)
            path.with_suffix(".txt").write_text(one["caption"], encoding="utf-8")
    (home / "SHARDS").symlink_to("shards")
    with (home / "clips.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("path", "start_s", "end_s", "text"))
        rows.writerows((f"howto/video-{n}.mp4", 2, 6, f"step {n}") for n in range(4))
    turns = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "a red ball"}]
    dialogues = [{"image": f"images/{n:04}.png", "conversations": turns} for n in range(8)]
    (home / "dialogues.json").write_text(json.dumps(dialogues))
    names = ("a cup", "a key", "a fish", "a star")
    for name, key in (("held_out.jsonl", "text"), ("plants.jsonl", "answer")):
        rows = [{"path": f"images/{n:04}.png", key: names[n % 4]} for n in range(8)]
        (home / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def release_of_crosstask(folder: Path) -> None:
    """Write a small release as the example of CrossTask plants it, with its annotations."""
    spec = importlib.util.spec_from_file_location("crosstask_example", ROOT / "examples" / "crosstask.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.write_release(folder)
    (folder / "annotations").mkdir()
    for path in (folder / "constraints").glob("*.csv"):
        shutil.copy(path, folder / "annotations")


def list_videos(home: Path, host: VideoHost) -> None:
    """Write ``videos.csv``, a list of what a site has."""
    with (home / "videos.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("url", "id", "title", "duration_s", "views", "languages", "task"))
        for video in host.videos.values():
            found = video.found()
            rows.writerow((host.url + found["url"], video.id, found["title"], 30, 1000, "en", video.tasks[0]))
