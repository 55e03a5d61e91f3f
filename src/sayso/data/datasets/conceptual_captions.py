"""CC3M's and CC12M's tables: captions and URLs, tab between, no header; joined to the files that are there.

CC3M has ``caption<TAB>url``, CC12M ``url<TAB>caption``: which column looks like a URL tells. A third column
may name the file. Otherwise the file of row n (from 0) with URL u is the first that is there of: the SHA-256,
SHA-1 or MD5 of u; ``n_CRC32`` with the CRC of u; img2dataset's ``00000/000000000`` or ``000000000``; the last
part of u. Names like the last may belong to several URLs: a file is joined once.

Sources
    Sharma et al., ACL 2018 (CC3M), https://aclanthology.org/P18-1238
    Changpinyo et al., CVPR 2021 (CC12M), https://arxiv.org/abs/2102.08981
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sayso.core.errors import SaysoError
from sayso.data.archives import is_there
from sayso.data.datasets.img2dataset import read_picture_shards
from sayso.data.listed_picture import ListedPicture
from sayso.data.picture_texts import clean
from sayso.data.problems import RecordProblem
from sayso.data.shards import find_shards

_SUFFIXES = ("", ".jpg", ".jpeg", ".png", ".webp", ".gif")
_SCHEMES: tuple[Callable[[int, str], str], ...] = (
    lambda _, url: hashlib.sha256(url.encode()).hexdigest(),
    lambda _, url: hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest(),
    lambda _, url: hashlib.md5(url.encode(), usedforsecurity=False).hexdigest(),
    lambda n, url: f"{n}_{zlib.crc32(url.encode())}",
    lambda n, _: f"{n // 10_000:05d}/{n:09d}",
    lambda n, _: f"{n:09d}",
    lambda _, url: unquote(urlsplit(url).path).rpartition("/")[2],
)


def read_url_table(table: Path, images: Path | None = None) -> Iterator[ListedPicture | RecordProblem]:
    """Yield the pictures of a table whose files are there, and what of it cannot be used.

    Args:
        table: the ``.tsv``, UTF-8.
        images: the folder of the pictures; default ``images``, a folder of the table's name, or the
            table's own. Where it holds ``.tar`` shards, these are read, with the captions in them.

    Raises:
        SaysoError: if the table cannot be read.
    """
    folders = [images] if images else [table.parent / "images", table.with_suffix(""), table.parent]
    tars = next((tars for folder in folders if (tars := find_shards(folder))), [])
    if tars:
        yield from read_picture_shards(tars)
        return
    files = _Files([folder for folder in folders if folder.is_dir()])
    try:
        with table.open(encoding="utf-8-sig", errors="replace", newline="\n") as lines:
            for n, line in enumerate(lines):
                if line.strip():
                    yield _joined(f"{table}, row {n + 1}", n, line.rstrip("\r\n").split("\t"), files)
    except OSError as error:
        raise SaysoError(f"{table} cannot be read: {error.strerror or error}; name another") from error


@dataclass(slots=True)
class _Files:
    """Finds the file of a row; what found the last one is tried first."""

    folders: list[Path]
    ways: list[tuple[Path, int, str]] = field(init=False)
    used: set[int] = field(default_factory=set)  # hashes of names that may be shared

    def __post_init__(self) -> None:
        self.ways = list(product(self.folders, range(len(_SCHEMES)), _SUFFIXES))

    def find(self, n: int, url: str, named: str) -> str | None:
        if named:
            return next((path for folder in self.folders if (path := _there(folder / named))), None)
        for at, (folder, scheme, suffix) in enumerate(self.ways):
            name = _SCHEMES[scheme](n, url)
            path = _there(folder / (name + suffix)) if name else None
            if path is None or (scheme == len(_SCHEMES) - 1 and hash(path) in self.used):
                continue
            if at:
                self.ways.insert(0, self.ways.pop(at))
            if scheme == len(_SCHEMES) - 1:
                self.used.add(hash(path))
            return path
        return None


def _there(path: Path) -> str | None:
    return os.path.abspath(path) if is_there(path) else None  # noqa: PTH100


def _joined(where: str, n: int, cells: list[str], files: _Files) -> ListedPicture | RecordProblem:
    cells = [cell.strip() for cell in cells]
    at = next((k for k, cell in enumerate(cells[:2]) if _is_url(cell)), None)
    if at is None or len(cells) < 2:
        return RecordProblem(where, "the row is not a caption and a URL")
    captions = clean([cells[1 - at]])
    if not captions:
        return RecordProblem(where, "its caption is empty")
    path = files.find(n, cells[at], cells[2] if len(cells) > 2 else "")
    if path is None:
        return RecordProblem(where, "the file of its URL is not there", missing=True)
    return ListedPicture(path, path, captions, url=cells[at])


def _is_url(cell: str) -> bool:
    return cell.lower().startswith(("http://", "https://", "//", "ftp://")) and " " not in cell
