"""ObjectNet: objects in unusual places and poses; 113 of its 313 classes overlap with ImageNet's.

The release brings its own maps, which are read there: ``folder_to_objectnet_label.json``,
``objectnet_to_imagenet_1k.json`` (several classes of ImageNet as "a; b"),
``pytorch_to_imagenet_2012_id.json`` and ``imagenet_to_label_2012_v2``. Its pictures have a red border of
one pixel. Its licence forbids tuning any parameter on it.

Source: Barbu et al. 2019. https://objectnet.dev
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.data.datasets.class_folders import LabelledPictures, read_class_folders, search_folder

_LABELS = "folder_to_objectnet_label.json"
_TO_IMAGENET = "objectnet_to_imagenet_1k.json"
_TO_2012 = "pytorch_to_imagenet_2012_id.json"
_IMAGENET = "imagenet_to_label_2012_v2"


@dataclass(frozen=True, eq=False)
class ObjectNet:
    """The pictures of ObjectNet's classes that overlap with ImageNet's, in the order of their folders.

    Args:
        labelled: the pictures; ``classes`` are folders.
        names: of the classes, lower-case.
        imagenet: for each class, the numbers of the classes of ImageNet that it is mapped to.
    """

    labelled: LabelledPictures
    names: list[str]
    imagenet: list[tuple[int, ...]]


def read_objectnet(folder: Path) -> ObjectNet:
    """Read the release.

    Args:
        folder: that holds ``mappings`` (or the maps themselves) and ``images``, at most a few levels below.

    Raises:
        SaysoError: if a map is not there or damaged, or there is no picture.
    """
    maps = search_folder(folder, lambda place: (place / _LABELS).is_file())
    if maps is None:
        raise SaysoError(f"{folder} lacks ObjectNet's own maps, such as mappings/{_LABELS}")
    try:
        label_of: dict[str, str] = _read(maps / _LABELS)
        numbers = _imagenet_numbers(maps)
        targets = {
            label: tuple(numbers[name] for name in text.split("; "))
            for label, text in _read(maps / _TO_IMAGENET).items()
        }
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise SaysoError(f"the maps of ObjectNet in {maps} cannot be read: {error!r}") from error
    folders = sorted(name for name, label in label_of.items() if label in targets)
    images = search_folder(folder, lambda place: any((place / name).is_dir() for name in folders))
    if images is None:
        raise SaysoError(f"{folder} has no folder of an object that ImageNet has too, such as {folders[:1]}")
    labels = [label_of[name] for name in folders]
    return ObjectNet(
        read_class_folders(images, folders),
        [label.lower() for label in labels],
        [targets[label] for label in labels],
    )


def _imagenet_numbers(maps: Path) -> dict[str, int]:
    """Return the number of each of ImageNet's classes, 0 to 999 by sorted wnid, by its label of 2012."""
    number_of = {int(id_): int(number) for number, id_ in _read(maps / _TO_2012).items()}
    lines = (maps / _IMAGENET).read_text(encoding="utf-8").splitlines()
    return {line.strip(): number_of[id_] for id_, line in enumerate(lines) if line.strip()}


def _read(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return dict(content)
