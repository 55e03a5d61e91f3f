"""One annotation file of PASCAL VOC: the objects of a picture, what people in it do, where they are.

Pixels count from 1 in the files, and a box holds its last row and column; here they count from 0
and a box ends before ``x1`` and ``y1``. Document types are refused, so no entity is ever expanded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from xml.etree import ElementTree as ET

from sayso.core.errors import SaysoError
from sayso.core.types import Box

_WRONG = (OSError, ValueError, LookupError, ET.ParseError)


@dataclass(frozen=True, slots=True)
class VocObject:
    """An object of a picture.

    Args:
        name: of its class.
        box: where it is; None if the file does not say.
        difficult: whether it is hard to see, and so does not count.
        actions: whether the person does each action; empty if the file says nothing of it.
    """

    name: str
    box: Box | None
    difficult: bool
    actions: dict[str, bool]


class _Builder(ET.TreeBuilder):
    """Builds a tree of a file without a document type."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:  # noqa: ARG002
        """Refuse it.

        Raises:
            ValueError: always.
        """
        raise ValueError("it has a document type; remove <!DOCTYPE ...>")


def read_voc_xml(path: Path) -> list[VocObject]:
    """Return the objects of a picture.

    Raises:
        SaysoError: if the file cannot be read or is no annotation.
    """
    try:
        return [_thing(element) for element in _root(path).iter("object")]
    except _WRONG as error:
        raise SaysoError(f"{path} is no annotation as PASCAL VOC's: {error}") from error


def voc_filename(path: Path) -> str | None:
    """Return the name of the picture that an annotation says it is of; None if it does not."""
    try:
        name = (_root(path).findtext("filename") or "").strip()
    except _WRONG:
        return None
    return PureWindowsPath(name).name or None


def _root(path: Path) -> ET.Element:
    if not path.stat().st_size:
        raise ValueError("it is empty")
    parser = ET.XMLParser(target=_Builder())  # noqa: S314  the builder refuses entities
    return _annotation(ET.parse(path, parser).getroot())  # noqa: S314


def _annotation(root: ET.Element | None) -> ET.Element:
    if root is None or root.tag != "annotation":
        raise ValueError("there is no <annotation>")
    return root


def _thing(element: ET.Element) -> VocObject:
    name = (element.findtext("name") or "").strip()
    if not name:
        raise ValueError("an <object> has no <name>")
    actions = {action.tag: _flag(action.text) for action in element.iterfind("actions/*")}
    return VocObject(name, _box(element.find("bndbox")), _flag(element.findtext("difficult")), actions)


def _box(element: ET.Element | None) -> Box | None:
    if element is None:
        return None
    x0, y0, x1, y1 = (float(element.findtext(side) or "nan") for side in ("xmin", "ymin", "xmax", "ymax"))
    if not (x0 <= x1 and y0 <= y1 and all(map(math.isfinite, (x0, y0, x1, y1)))):
        raise ValueError(f"a box goes from {x0}, {y0} to {x1}, {y1}")
    return Box(x0 - 1, y0 - 1, x1, y1)


def _flag(text: str | None) -> bool:
    return (text or "").strip() not in ("", "0")
