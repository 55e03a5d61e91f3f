"""PASCAL VOC 2007 and 2012: pictures with lists of what each shows, and annotations with boxes.

Which classes a picture shows is in ``ImageSets/Main/<class>_<split>.txt`` (1 there, 0 only
difficult ones, -1 not there), so no box is opened to learn from it. Where those lists are
absent, the names alone are taken from ``Annotations/<id>.xml``. What people do (2012) is in
``ImageSets/Action/<action>_<split>.txt``, one line a person; a picture shows an action if somebody
in it does. A picture is the file of its id, whatever its format; else the one that its annotation
names. Annotations and lines that are broken are failures.

Source
    Everingham et al., The PASCAL Visual Object Classes Challenge, IJCV 2010 and 2015; the
    development kits of 2007 and 2012.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.data.datasets.voc_files import VocPictures
from sayso.data.datasets.voc_xml import VocObject, read_voc_xml
from sayso.data.manifest import Failure
from sayso.data.tags import DataRequest, PictureBoxes, TaggedBox, TaggedPicture, TaggedPictures

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
        SaysoError: if the lists are absent, name no such split, or no annotation can be read.
    """
    root = _root(request)
    failures: list[Failure] = []
    labels = _from_lists(root, request, failures) or _from_annotations(root, request, failures)
    names = tuple(sorted(labels))
    ids = sorted({picture for of_class in labels.values() for picture in of_class})
    folder = request.images or root / "JPEGImages"
    files = VocPictures(folder, root / "Annotations")
    pictures, missing = [], []
    for id_ in ids:
        path = files.find(id_)
        if path is None:
            missing.append(str(folder / f"{id_}.jpg"))
        else:
            found = tuple(labels[name].get(id_, -1) for name in names)
            pictures.append(TaggedPicture(path, found, id_))
    return TaggedPictures(names, tuple(pictures), tuple(missing), tuple(failures))


def read_voc_boxes(request: DataRequest, pictures: TaggedPictures) -> PictureBoxes:
    """Return the boxes of each picture, of classes that ``pictures`` names."""
    folder = _root(request) / "Annotations"
    index = {name: k for k, name in enumerate(pictures.names)}
    found, unsure, failures = [], [], []
    for n, picture in enumerate(pictures.pictures):
        boxes: list[TaggedBox] = []
        try:
            for thing in read_voc_xml(folder / f"{picture.id}.xml"):
                names = [name for name in _named(thing, request) if name in index]
                if thing.box is not None:
                    boxes += [TaggedBox(index[name], thing.box, thing.difficult) for name in names]
        except SaysoError as error:
            unsure.append(n)
            failures.append(Failure(str(folder / f"{picture.id}.xml"), "boxes", str(error)))
        found.append(tuple(boxes))
    return PictureBoxes(found, unsure, failures)


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


def _from_lists(root: Path, request: DataRequest, failures: list[Failure]) -> Labels:
    """Return what the lists of the classes say; nothing if there is none of this split."""
    labels: Labels = {}
    for file in sorted((root / "ImageSets" / _LISTS[request.task]).glob("*_*.txt")):
        name, _, split = file.stem.rpartition("_")
        if request.split in (None, split):
            of_class = labels.setdefault(name, {})
            for id_, label in _lines(file, request, failures):
                of_class[id_] = max(label, of_class.get(id_, -1))
    return labels


def _lines(file: Path, request: DataRequest, failures: list[Failure]) -> Iterable[tuple[str, int]]:
    """Yield id and label of each line; of actions, a person's number is between them.

    A line whose label is none leaves open whether the class is there.
    """
    fields = 3 if request.task == "actions" else 2
    for number, line in enumerate(_text(file).splitlines(), 1):
        words = line.rsplit(None, fields - 1)
        if not words:
            continue
        if len(words) == fields and words[-1] in ("1", "0", "-1"):
            yield words[0].strip(), int(words[-1])
            continue
        why = f"{file}, line {number}: expected a picture and 1, 0 or -1; got {line!r}"
        failures.append(Failure(str(file), "lists", why))
        if len(words) == fields:
            yield words[0].strip(), 0


def _from_annotations(root: Path, request: DataRequest, failures: list[Failure]) -> Labels:
    """Return which names the annotations of a split hold: 1, or 0 where all of them are difficult."""
    folder = root / "Annotations"
    there: dict[str, list[VocObject]] = {}
    for id_ in _listed(root, request):
        try:
            there[id_] = read_voc_xml(folder / f"{id_}.xml")
        except SaysoError as error:
            failures.append(Failure(str(folder / f"{id_}.xml"), "annotations", str(error)))
    labels: Labels = {}
    for id_, found in there.items():
        for thing in found:
            for name in _known(thing, request):
                labels.setdefault(name, {})
            for name in _named(thing, request):
                labels[name][id_] = max(0 if thing.difficult else 1, labels[name].get(id_, 0))
    if not labels:
        first = (
            f"; of {len(failures):,} that cannot be read, the first: {failures[0].error}" if failures else ""
        )
        raise SaysoError(f"the {len(there):,} annotations of {folder} name no {request.task}{first}")
    return {name: {id_: of_class.get(id_, -1) for id_ in there} for name, of_class in labels.items()}


def _known(thing: VocObject, request: DataRequest) -> Iterable[str]:
    return thing.actions if request.task == "actions" else (thing.name,)


def _listed(root: Path, request: DataRequest) -> list[str]:
    """Return the ids of a split, or of all annotations."""
    files = (root / "Annotations").glob("*.xml")
    annotated = {file.stem for file in files if not file.name.startswith(".")}
    if request.split is None:
        return sorted(annotated)
    folder = root / "ImageSets" / _LISTS[request.task]
    if not (folder / f"{request.split}.txt").is_file():
        splits = sorted({file.stem.rpartition("_")[2] for file in folder.glob("*.txt")})
        known = f"; there are {', '.join(splits)}" if splits else ""
        raise SaysoError(f"{folder} lists no split {request.split!r}{known}")
    lines = [line.strip() for line in _text(folder / f"{request.split}.txt").splitlines() if line.strip()]
    return list(dict.fromkeys(_id_of(line, annotated) for line in lines))


def _id_of(line: str, annotated: Collection[str]) -> str:
    """Return the id in a line of a split: all of it, or what stands before a number (a person's, a label)."""
    before = line.rpartition(" ")[0].strip()
    return before if line not in annotated and before in annotated else line


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SaysoError(f"{file} cannot be read: {error}") from error
