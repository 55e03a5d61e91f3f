"""A flat folder of validation pictures is labelled alike by every list that people have."""

from __future__ import annotations

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.data.datasets.imagenet import read_imagenet
from sayso.encoders.conse import imagenet_classes

WNIDS = [wnid for wnid, _, _ in imagenet_classes()]
LABELS = [65, 970, 0, 999]
FLAT = "ILSVRC2012_val_{:08d}.JPEG"


@pytest.fixture
def flat(tmp_path):
    folder = tmp_path / "imagenet" / "val"
    folder.mkdir(parents=True)
    for number in range(1, len(LABELS) + 1):
        (folder / FLAT.format(number)).write_bytes(b"")
    return folder


def write_devkit(folder):
    """Write the devkit's list and meta.mat; ids do not go by wnid, and those over 1,000 are groups."""
    scipy_io = pytest.importorskip("scipy.io")
    data = folder / "ILSVRC2012_devkit_t12" / "data"
    data.mkdir(parents=True)
    id_of = {number: (number * 17 + 5) % 1000 + 1 for number in range(1000)}
    rows = [*sorted((id_, WNIDS[number]) for number, id_ in id_of.items()), (1001, "n00000000")]
    fields = [("ILSVRC2012_ID", object), ("WNID", object), ("words", object)]
    synsets = np.array([(id_, wnid, "x") for id_, wnid in rows], dtype=fields).reshape(-1, 1)
    scipy_io.savemat(data / "meta.mat", {"synsets": synsets})
    lines = [str(id_of[label]) for label in LABELS]
    (data / "ILSVRC2012_validation_ground_truth.txt").write_text("\n".join(lines) + "\n")


def write_kaggle(folder):
    rows = [f"{FLAT.format(k)[:-5]},{WNIDS[label]} 1 2 3 4 n0 5" for k, label in enumerate(LABELS, 1)]
    (folder / "LOC_val_solution.csv").write_text("ImageId,PredictionString\n" + "\n".join(rows[::-1]) + "\n")


def write_wnids(folder):
    text = "\n".join(WNIDS[label] for label in LABELS)
    (folder / "imagenet_2012_validation_synset_labels.txt").write_text(text)


def write_pairs(folder):
    rows = [f"val/{FLAT.format(k)} {label}" for k, label in enumerate(LABELS, 1)]
    (folder / "val" / "val.txt").write_text("\n".join(rows) + "\n\n")


@pytest.mark.parametrize("write", [write_devkit, write_kaggle, write_wnids, write_pairs])
def test_every_list_gives_the_same_labels(flat, write):
    write(flat.parent)
    read = read_imagenet(flat.parent, WNIDS)
    assert read.labels.tolist() == LABELS
    assert read.pictures == [flat / FLAT.format(k) for k in range(1, 5)]
    assert read.classes == WNIDS


def test_what_is_wrong_is_told(flat, tmp_path):
    with pytest.raises(
        SaysoError, match=r"is flat and has no list of classes beside it: LOC_val_solution.csv"
    ):
        read_imagenet(flat, WNIDS)
    (flat / "val.txt").write_text(f"{FLAT.format(1)} 1000\n")
    with pytest.raises(SaysoError, match=r"val.txt is not the list .* not between 0 and 999"):
        read_imagenet(flat, WNIDS)
    with pytest.raises(SaysoError, match="cannot be read"):
        read_imagenet(tmp_path / "nowhere", WNIDS)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SaysoError, match="no class folders called by the numbers 0 to 999"):
        read_imagenet(tmp_path / "empty", WNIDS, "numbers")
    for name in ("n01440764", "n99999999"):
        (tmp_path / "strange" / name).mkdir(parents=True)
    with pytest.raises(SaysoError, match=r"n99999999 is none of ImageNet's 1,000 classes"):
        read_imagenet(tmp_path / "strange", WNIDS)
