"""Where a run keeps what it has learned: whole steps only, the last few and the best.

    RUN/config.toml                 the recipe
    RUN/log.jsonl                   one line of metrics now and then
    RUN/step_00012000/              a model that ``sayso.load`` takes, and what training needs to go on
    RUN/latest, RUN/best            links to such folders

A step's folder is written under another name and renamed when it is complete and on disk,
so a kill at any moment leaves the steps before it as they were.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.core.io import atomic_folder, fsync
from sayso.core.ownership import claim_folder

_STEP = re.compile(r"step_(\d{8})")
_HALF = re.compile(r"\.step_\d{8}-.*|\.gone_\d{8}|\.link_(best|latest)")
_DATA = "data.json"


class Checkpoints:
    """The steps in a run's folder.

    Args:
        folder: made if it is missing.
        save_total_limit: how many of the last steps are kept; the best is kept besides.

    Raises:
        SaysoError: if the folder cannot be made.
    """

    def __init__(self, folder: Path, save_total_limit: int = 3) -> None:
        self.folder, self.save_total_limit = folder, save_total_limit

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training into this folder.

        Raises:
            SaysoError: if one is at it already.
        """
        from filelock import FileLock, Timeout

        try:
            claim_folder(self.folder, "train")
            with FileLock(self.folder / ".lock", timeout=0):
                self._clear()
                yield
        except Timeout as error:
            raise SaysoError(
                f"another process is training into {self.folder}; wait for it or give another --out"
            ) from error

    def steps(self) -> list[int]:
        """Return the steps that are complete, rising."""
        names = (_STEP.fullmatch(path.name) for path in self.folder.iterdir() if path.is_dir())
        return sorted(int(name[1]) for name in names if name)

    def at(self, step: int) -> Path:
        """Return the folder of a step."""
        return self.folder / f"step_{step:08d}"

    def data(self, step: int) -> dict[str, Any]:
        """Return what was noted with a step.

        Raises:
            SaysoError: if it cannot be read.
        """
        path = self.at(step) / _DATA
        try:
            noted: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SaysoError(
                f"{path} cannot be read ({error}); remove {path.parent} to go on from before it"
            ) from error
        return noted

    def save(
        self, step: int, write: Callable[[Path], None], data: dict[str, Any], score: float | None = None
    ) -> Path:
        """Keep a step: ``write`` fills its folder; the highest ``score`` so far makes it the best.

        Args:
            step: its number.
            write: writes the model into a folder.
            data: what else is noted, as JSON.
            score: what was measured; larger is better.
        """
        target = self.at(step)
        shutil.rmtree(target, ignore_errors=True)
        with atomic_folder(target) as new:
            write(new)
            noted = json.dumps({"step": step, "score": score, **data})
            (new / _DATA).write_text(noted, encoding="utf-8")
        if score is not None and score > self._best_score():
            _link(self.folder / "best", target.name)
        _link(self.folder / "latest", target.name)
        self._prune()
        return target

    def best(self) -> int | None:
        """Return the best step, if steps were scored."""
        link = self.folder / "best"
        name = _STEP.fullmatch(link.readlink().name) if link.is_symlink() else None
        return int(name[1]) if name else None

    def _best_score(self) -> float:
        step = self.best()
        return (
            float("-inf") if step is None or not self.at(step).is_dir() else float(self.data(step)["score"])
        )

    def _prune(self) -> None:
        """Remove all but the last steps and the best."""
        for step in self.steps()[: -self.save_total_limit]:
            if step != self.best():
                gone = self.at(step).rename(self.folder / f".gone_{step:08d}")
                shutil.rmtree(gone)

    def _clear(self) -> None:
        """Remove what a killed process left half written or half removed."""
        for path in self.folder.iterdir():
            if _HALF.fullmatch(path.name):
                path.unlink() if path.is_symlink() else shutil.rmtree(path)


def _link(link: Path, target: str) -> None:
    """Point a link to a folder beside it, at once."""
    new = link.with_name(f".link_{link.name}")
    if link.exists() and not link.is_symlink():
        raise SaysoError(f"{link} is in the way of the run's link of that name; move it")
    new.unlink(missing_ok=True)
    new.symlink_to(target, target_is_directory=True)
    new.replace(link)
    fsync(link.parent)
