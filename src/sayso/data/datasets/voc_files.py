"""Which file is the picture of an id of PASCAL VOC: ``<id>.jpg`` as released, others as other tools write."""

from __future__ import annotations

from pathlib import Path

from sayso.data.datasets.voc_xml import voc_filename
from sayso.media.kinds import kind_of


class VocPictures:
    """The pictures of a folder, by id.

    Args:
        folder: where they are.
        annotations: the folder of the annotations, which are asked only where the id leaves it open.
    """

    def __init__(self, folder: Path, annotations: Path) -> None:
        self.folder, self.annotations = folder, annotations
        self._by_name: dict[str, Path] = {}
        self._by_stem: dict[str, list[Path]] = {}
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if kind_of(path) == "picture" and path.is_file():
                self._by_name[path.name] = path
                self._by_stem.setdefault(path.stem, []).append(path)

    def find(self, id_: str) -> Path | None:
        """Return the picture of an id; None if it is not there."""
        found = self._by_stem.get(id_, [])
        if len(found) == 1:
            return found[0]
        named = voc_filename(self.annotations / f"{id_}.xml")
        if named in self._by_name:
            return self._by_name[named]
        if found:
            return next((path for path in found if path.suffix == ".jpg"), found[0])
        others = self._by_stem.get(named or "", self._by_stem.get(Path(named or "").stem, []))
        return others[0] if others else _below(self.folder, id_)


def _below(folder: Path, id_: str) -> Path | None:
    """Return the picture of an id that names a folder too (``city/0001``)."""
    try:
        path = folder / f"{id_}.jpg"
        return path if path.is_file() else None
    except (OSError, ValueError):
        return None
