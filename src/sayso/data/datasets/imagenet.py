"""ImageNet's validation pictures and the sets made after it, whose folders are wnids, or numbers to 999.

A flat folder of ``ILSVRC2012_val_00000001.JPEG`` ... needs a list beside it (or in the folder above), one of

    LOC_val_solution.csv                            ImageId,PredictionString: the wnid comes first in it
    imagenet_2012_validation_synset_labels.txt      a wnid a line, in the order of the pictures
    val.txt                                         file name and number of the class
    ILSVRC2012_validation_ground_truth.txt          the devkit's numbers, with its meta.mat

Sources
    Russakovsky et al. 2015, ImageNet Large Scale Visual Recognition Challenge. https://arxiv.org/abs/1409.0575
    Hendrycks et al. 2021 (A, R); Recht et al. 2019 (V2); Wang et al. 2019 (Sketch)
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sayso.core.errors import SaysoError
from sayso.core.lazy import need
from sayso.data.datasets.class_folders import (
    LabelledPictures,
    read_class_folders,
    search_folder,
    subfolders,
)

WNID = re.compile(r"n\d{8}")
Layout = Literal["wnids", "numbers"]
_FLAT = "ILSVRC2012_val_{:08d}.JPEG"
_PATTERNS = {"wnids": WNID, "numbers": re.compile(r"\d{1,3}")}


def read_imagenet(folder: Path, wnids: Sequence[str], layout: Layout = "wnids") -> LabelledPictures:
    """Read a set of pictures labelled with ImageNet's classes.

    Args:
        folder: that holds the class folders, or the flat folder and its list, at most a few levels below.
        wnids: of the C classes, sorted, which is the order of their numbers.
        layout: what the class folders are called: wnids, or numbers (sorted as numbers).

    Returns:
        The pictures, labelled by the number of the class among ``wnids``; ``classes`` are the folders there
        are, by wnid, in order.

    Raises:
        SaysoError: if there are none, or a folder is no class of ImageNet.
    """
    pattern = _PATTERNS[layout]

    def holds_classes(place: Path) -> bool:
        return sum(pattern.fullmatch(path.name) is not None for path in subfolders(place)) > 1

    place = search_folder(folder, holds_classes)
    if place is None and layout == "wnids":
        flat = search_folder(folder, lambda one: (one / _FLAT.format(1)).exists())
        if flat is not None:
            return _read_flat(flat, wnids)
    if place is None:
        what = "wnids such as n01440764" if layout == "wnids" else "the numbers 0 to 999"
        raise SaysoError(f"{folder} holds no class folders called by {what}, nor validation pictures")
    names = [path.name for path in subfolders(place) if pattern.fullmatch(path.name)]
    number = _numbers(names, wnids, layout, place)
    names.sort(key=number.__getitem__)
    read = read_class_folders(place, names)
    labels = np.array([number[name] for name in names], np.int64)[read.labels]
    return LabelledPictures(read.pictures, labels, [wnids[number[name]] for name in names])


def _numbers(names: Sequence[str], wnids: Sequence[str], layout: Layout, place: Path) -> dict[str, int]:
    """Return the number of the class of each folder.

    Raises:
        SaysoError: if one is no class of ImageNet.
    """
    if layout == "numbers":
        return {name: int(name) for name in names}
    known = {wnid: number for number, wnid in enumerate(wnids)}
    strange = [name for name in names if name not in known]
    if strange:
        raise SaysoError(f"{place / strange[0]} is none of ImageNet's {len(wnids):,} classes")
    return {name: known[name] for name in names}


def _read_flat(folder: Path, wnids: Sequence[str]) -> LabelledPictures:
    """Read a flat folder of validation pictures by the first list that is there.

    Raises:
        SaysoError: if there is none, or it names another class.
    """
    beside = (folder, folder.parent, folder.parent / "data", *_devkits(folder))
    for name, read in _LISTS.items():
        path = next((place / name for place in beside if (place / name).is_file()), None)
        if path is None:
            continue
        try:
            labelled = read(path, wnids)
        except (OSError, ValueError, KeyError, IndexError, UnicodeDecodeError) as error:
            raise SaysoError(f"{path} is not the list of validation pictures: {error}") from error
        pictures = [folder / file for file in labelled]
        return LabelledPictures(pictures, np.array([*labelled.values()], np.int64), list(wnids))
    raise SaysoError(f"{folder} is flat and has no list of classes beside it: {', '.join(_LISTS)}")


def _devkits(folder: Path) -> list[Path]:
    above = [folder, folder.parent]
    return [place / kit / "data" for place in above for kit in ("ILSVRC2012_devkit_t12", "devkit")]


def _from_csv(path: Path, wnids: Sequence[str]) -> dict[str, int]:
    number = {wnid: k for k, wnid in enumerate(wnids)}
    with path.open(newline="", encoding="utf-8") as file:
        rows = sorted((row["ImageId"], row["PredictionString"]) for row in csv.DictReader(file))
    return {f"{image}.JPEG": number[text.split()[0]] for image, text in rows}


def _from_wnids(path: Path, wnids: Sequence[str]) -> dict[str, int]:
    number = {wnid: k for k, wnid in enumerate(wnids)}
    lines = path.read_text(encoding="utf-8").split()
    return {_FLAT.format(k): number[wnid] for k, wnid in enumerate(lines, 1)}


def _from_pairs(path: Path, wnids: Sequence[str]) -> dict[str, int]:
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    found = {name.rpartition("/")[2]: int(number) for name, number in rows}
    if not all(0 <= number < len(wnids) for number in found.values()):
        raise ValueError(f"a number is not between 0 and {len(wnids) - 1}")
    return found


def _from_devkit(path: Path, wnids: Sequence[str]) -> dict[str, int]:
    """Return the classes by the devkit's ids, which ``meta.mat`` turns into wnids."""
    ids = [int(line) for line in path.read_text(encoding="utf-8").split()]
    wnid_of = _synsets(path.parent / "meta.mat")
    number = {wnid: k for k, wnid in enumerate(wnids)}
    return {_FLAT.format(k): number[wnid_of[id_]] for k, id_ in enumerate(ids, 1)}


def _synsets(path: Path) -> Mapping[int, str]:
    scipy_io: Any = need("scipy.io", "solvers")
    rows = scipy_io.loadmat(path, squeeze_me=True)["synsets"]
    return {int(row[0]): str(row[1]) for row in rows}


_LISTS: dict[str, Callable[[Path, Sequence[str]], dict[str, int]]] = {
    "LOC_val_solution.csv": _from_csv,
    "imagenet_2012_validation_synset_labels.txt": _from_wnids,
    "val.txt": _from_pairs,
    "ILSVRC2012_validation_ground_truth.txt": _from_devkit,
}
