"""PASCAL VOC 2007 and 2012: pictures with lists of what each shows, and annotations with boxes.

Which classes a picture shows is in ``ImageSets/Main/<class>_<split>.txt`` (1 there, 0 only
difficult ones, -1 not there), so no box is opened to learn from it. Where those lists are
absent, the names alone are taken from ``Annotations/<id>.xml``. What people do (2012) is in
``ImageSets/Action/<action>_<split>.txt``, one line a person; a picture shows an action if somebody
in it does.

Source
    Everingham et al., The PASCAL Visual Object Classes Challenge, IJCV 2010 and 2015; the
    development kits of 2007 and 2012.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.data.datasets.voc_xml import VocObject, read_voc_xml
from sayso.data.tags import DataRequest, TaggedBox, TaggedPicture, TaggedPictures

_LISTS = {"objects": "Main", "actions": "Action"}
Labels = dict[str, dict[str, int]]  # class by class: of each picture 1, 0 or -1


def voc_folder(path: Path) -> Path | None:
    """Return the folder that holds ``Annotations`` or ``ImageSets``: the path, or one year below it.

    Raises:
        SaysoError: if two years are there.
    """
    if _is_root(path):
        return path
    years = [year for above in (path, path / "VOCdevkit") for year in sorted(above.glob("VOC2*"))]
    roots = [year for year in years if _is_root(year)]
    if len(roots) > 1:
        raise SaysoError(f"{path} holds {', '.join(root.name for root in roots)}; name one of them")
    return roots[0] if roots else None


def read_voc(request: DataRequest) -> TaggedPictures:
    """Return the pictures of a split and their tags.

    Raises:
        SaysoError: if the lists are absent, name no such split, or are not of their form.
    """
    root = _root(request)
    labels = _from_lists(root, request) or _from_annotations(root, request)
    names = tuple(sorted(labels))
    ids = sorted({picture for of_class in labels.values() for picture in of_class})
    folder = request.images or root / "JPEGImages"
    all_pictures = [
        TaggedPicture(folder / f"{id_}.jpg", tuple(labels[name].get(id_, -1) for name in names), id_)
        for id_ in ids
    ]
    pictures = tuple(picture for picture in all_pictures if picture.path.is_file())
    missing = tuple(str(picture.path) for picture in all_pictures if not picture.path.is_file())
    return TaggedPictures(names, pictures, missing)


def read_voc_boxes(request: DataRequest, pictures: TaggedPictures) -> list[tuple[TaggedBox, ...]]:
    """Return the boxes of each picture, of classes that ``pictures`` names.

    Raises:
        SaysoError: if an annotation is absent or broken.
    """
    folder = _root(request) / "Annotations"
    number = {name: k for k, name in enumerate(pictures.names)}
    found = []
    for picture in pictures.pictures:
        there = read_voc_xml(folder / f"{picture.id}.xml")
        named = [(name, thing) for thing in there for name in _named(thing, request)]
        found.append(
            tuple(
                TaggedBox(number[name], thing.box, thing.difficult)
                for name, thing in named
                if name in number and thing.box is not None
            )
        )
    return found


def _is_root(path: Path) -> bool:
    return (path / "Annotations").is_dir() or (path / "ImageSets").is_dir()


def _root(request: DataRequest) -> Path:
    root = voc_folder(request.path)
    if root is None:
        raise SaysoError(f"{request.path} holds no Annotations and no ImageSets as PASCAL VOC does")
    return root


def _named(thing: VocObject, request: DataRequest) -> list[str]:
    """Return what a thing is, or what it does."""
    if request.task == "actions":
        return [action for action, done in thing.actions.items() if done]
    return [thing.name]


def _from_lists(root: Path, request: DataRequest) -> Labels:
    """Return what the lists of the classes say; nothing if there is none of this split."""
    labels: Labels = {}
    for file in sorted((root / "ImageSets" / _LISTS[request.task]).glob("*_*.txt")):
        name, _, split = file.stem.rpartition("_")
        if request.split in (None, split):
            of_class = labels.setdefault(name, {})
            for id_, label in _lines(file):
                of_class[id_] = max(label, of_class.get(id_, -1))
    return labels


def _lines(file: Path) -> Iterable[tuple[str, int]]:
    """Yield id and label of each line; a person's line has the person's number between them.

    Raises:
        SaysoError: if a line is otherwise.
    """
    for number, line in enumerate(_text(file).splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if len(words) not in (2, 3) or words[-1] not in ("1", "0", "-1"):
            raise SaysoError(f"{file}, line {number}: expected a picture and 1, 0 or -1; got {line!r}")
        yield words[0], int(words[-1])


def _from_annotations(root: Path, request: DataRequest) -> Labels:
    """Return which names the annotations of a split hold: 1, or 0 where all of them are difficult."""
    ids = _listed(root, request)
    folder = root / "Annotations"
    there = {id_: read_voc_xml(folder / f"{id_}.xml") for id_ in ids}
    labels: Labels = {}
    for id_, found in there.items():
        for thing in found:
            for name in _known(thing, request):
                labels.setdefault(name, {})
            for name in _named(thing, request):
                labels[name][id_] = max(0 if thing.difficult else 1, labels[name].get(id_, 0))
    if not labels:
        raise SaysoError(f"the {len(ids):,} annotations of {folder} name no {request.task}")
    return {name: {id_: of_class.get(id_, -1) for id_ in ids} for name, of_class in labels.items()}


def _known(thing: VocObject, request: DataRequest) -> Iterable[str]:
    return thing.actions if request.task == "actions" else (thing.name,)


def _listed(root: Path, request: DataRequest) -> list[str]:
    """Return the ids of a split, or of all annotations."""
    if request.split is None:
        return sorted(file.stem for file in (root / "Annotations").glob("*.xml"))
    folder = root / "ImageSets" / _LISTS[request.task]
    if not (folder / f"{request.split}.txt").is_file():
        splits = sorted({file.stem.rpartition("_")[2] for file in folder.glob("*.txt")})
        known = f"; there are {', '.join(splits)}" if splits else ""
        raise SaysoError(f"{folder} lists no split {request.split!r}{known}")
    return [line.split()[0] for line in _text(folder / f"{request.split}.txt").splitlines() if line.strip()]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SaysoError(f"{file} cannot be read: {error}") from error
