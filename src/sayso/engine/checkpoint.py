"""Where a run keeps what it has learned: whole steps only, the last few and the best.

    RUN/config.toml                 the recipe
    RUN/log.jsonl                   one line of metrics now and then
    RUN/step_00012000/              a model that ``sayso.load`` takes, and what training needs to go on
    RUN/latest, RUN/best            links to such folders

A step's folder is written under another name and renamed when it is complete and on disk,
so a kill at any moment leaves the steps before it as they were. A step that somebody changed is theirs: it is
not removed with the old ones, and a step that comes again takes another's place only.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.core.io import atomic_folder, fsync, write_atomic
from sayso.core.ownership import claim_folder, is_mine, record_own

log = logging.getLogger(__name__)
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
        self._kept: set[int] = set()

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

    def keep_recipe(self, recipe: str) -> None:
        """Write the recipe, as TOML, unless it is there in other words.

        Raises:
            SaysoError: if a person wrote another.
        """
        path = self.folder / "config.toml"
        try:
            same = tomllib.loads(path.read_text(encoding="utf-8")) == tomllib.loads(recipe)
        except (OSError, ValueError):
            same = False
        if not same:
            write_atomic(path, recipe)

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
        if target.exists():
            self._make_room(target)
        with atomic_folder(target) as new:
            write(new)
            noted = json.dumps({"step": step, "score": score, **data})
            (new / _DATA).write_text(noted, encoding="utf-8")
            record_own(target, new)
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

    def _make_room(self, target: Path) -> None:
        """Remove what an earlier try of a step left, or give it another name if it was changed."""
        if is_mine(target):
            shutil.rmtree(target)
            return
        numbers = (n for n in count(1) if not target.with_name(f"changed_{n}_{target.name}").exists())
        moved = target.rename(target.with_name(f"changed_{next(numbers)}_{target.name}"))
        log.warning("%s was changed since it was written; it is %s now", target, moved.name)

    def _prune(self) -> None:
        """Remove all but the last steps, the best and those that somebody changed."""
        for step in self.steps()[: -self.save_total_limit]:
            if step == self.best() or step in self._kept:
                continue
            if is_mine(self.at(step)):
                gone = self.at(step).rename(self.folder / f".gone_{step:08d}")
                shutil.rmtree(gone)
            else:
                self._kept.add(step)
                log.warning("%s was changed since it was written, and is kept", self.at(step))

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
