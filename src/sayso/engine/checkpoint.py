"""Where a run keeps what it has learned: whole steps only, the last few and the best.

    RUN/config.toml                 the recipe
    RUN/log.jsonl                   one line of metrics now and then
    RUN/step_00012000/              a model that ``sayso.load`` takes, and what training needs to go on
    RUN/latest, RUN/best            links to such folders

A step's folder is written under another name and renamed when it is complete and on disk,
so a kill at any moment leaves the steps before it as they were. A step that somebody changed is theirs: it is
not removed with the old ones, and a step that comes again takes another's place only. What training needs has
a checksum; a run goes on from the last step that is whole, and damaged ones are set aside.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from itertools import count, takewhile
from operator import itemgetter
from pathlib import Path
from typing import Any

from sayso.core.errors import SaysoError
from sayso.core.io import atomic_folder, fsync, sha256_of, write_atomic
from sayso.core.ownership import claim_folder, is_mine, record_own

log = logging.getLogger(__name__)
_STEP = re.compile(r"step_(\d{8})")
_HALF = re.compile(r"\.step_\d{8}-.*|\.gone_\d{8}|\.link_(best|latest)")
_DATA, _SUMS = "data.json", "sha256"
STATE = "state.pt"


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

    def changed(self, recipe: str) -> list[str]:
        """Return what a recipe says otherwise than the one the run began with: "lr was 0.1, now 0.2".

        Args:
            recipe: as TOML.
        """
        try:
            kept = tomllib.loads((self.folder / "config.toml").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        now = tomllib.loads(recipe)
        return [
            f"{key} was {kept[key]!r}, now {now[key]!r}"
            for key in now
            if key in kept and kept[key] != now[key]
        ]

    def steps(self) -> list[int]:
        """Return the steps that are complete, rising."""
        names = (_STEP.fullmatch(path.name) for path in self.folder.iterdir() if path.is_dir())
        return sorted(int(name[1]) for name in names if name)

    def at(self, step: int) -> Path:
        """Return the folder of a step."""
        return self.folder / f"step_{step:08d}"

    def set_damaged_aside(self) -> None:
        """Rename the last steps that are not whole, so that training goes on from before them.

        Old steps that a killed run did not remove are removed then.

        Raises:
            SaysoError: if steps are there and none is whole.
        """
        damaged = dict(takewhile(itemgetter(1), ((step, self._damage(step)) for step in self.steps()[::-1])))
        if damaged and len(damaged) == len(self.steps()):
            raise SaysoError(
                f"no step of {self.folder} is whole: {next(iter(damaged.values()))}; begin with another --out"
            )
        for step, why in damaged.items():
            moved = _aside(self.at(step), "damaged")
            log.warning("%s; it is %s now, and training goes on from before it", why, moved.name)
        if damaged:
            _link(self.folder / "latest", self.at(self.steps()[-1]).name)
        self._prune()

    def _damage(self, step: int) -> str:
        """Return why training cannot go on from a step, or nothing."""
        state = self.at(step) / STATE
        try:
            noted = self.data(step)
            sums = noted.pop(_SUMS, None)
            found = {STATE: sha256_of(state), _DATA: _sum_of(noted)}
        except SaysoError as error:
            return str(error).partition("; remove ")[0]
        except OSError as error:
            return f"{state} cannot be read: {error.strerror}"
        if sums is None:  # an older sayso noted none
            return ""
        wrong = [name for name in found if not isinstance(sums, dict) or sums.get(name) != found[name]]
        return f"{self.at(step) / wrong[0]} is damaged, its checksum is another" if wrong else ""

    def data(self, step: int) -> dict[str, Any]:
        """Return what was noted with a step.

        Raises:
            SaysoError: if it cannot be read.
        """
        path = self.at(step) / _DATA
        try:
            noted: dict[str, Any] = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
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
            noted = {"step": step, "score": score, **data}
            state = sha256_of(new / STATE) if (new / STATE).is_file() else None
            sums = {STATE: state, _DATA: _sum_of(noted)}
            (new / _DATA).write_text(json.dumps({**noted, _SUMS: sums}), encoding="utf-8")
            record_own(target, new)
        self._link_to(step, score)
        self._prune()
        return target

    def _link_to(self, step: int, score: float | None) -> None:
        if score is not None and score > self._best_score():
            _link(self.folder / "best", self.at(step).name)
        _link(self.folder / "latest", self.at(step).name)

    def best(self) -> int | None:
        """Return the best step, if steps were scored."""
        link = self.folder / "best"
        name = _STEP.fullmatch(link.readlink().name) if link.is_symlink() else None
        return int(name[1]) if name else None

    def _best_score(self) -> float:
        try:
            step = self.best()
            return float("-inf") if step is None else float(self.data(step)["score"])
        except (SaysoError, KeyError, TypeError, ValueError):  # gone, or damaged
            return float("-inf")

    def _make_room(self, target: Path) -> None:
        """Remove what an earlier try of a step left, or give it another name if it was changed."""
        if is_mine(target):
            shutil.rmtree(target)
            return
        moved = _aside(target, "changed")
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
        """Remove what a killed process left half written or half removed; set the links that it did not."""
        for path in list(self.folder.iterdir()):
            if _HALF.fullmatch(path.name):
                path.unlink() if path.is_symlink() else shutil.rmtree(path)
        for step in self.steps():
            try:
                self._link_to(step, self.data(step).get("score"))
            except (SaysoError, TypeError):  # damaged: it is told when training goes on
                continue


def _sum_of(noted: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(noted, sort_keys=True).encode()).hexdigest()


def _aside(folder: Path, why: str) -> Path:
    """Give a step's folder a name that is no step's."""
    numbers = (n for n in count(1) if not folder.with_name(f"{why}_{n}_{folder.name}").exists())
    return folder.rename(folder.with_name(f"{why}_{next(numbers)}_{folder.name}"))


def _link(link: Path, target: str) -> None:
    """Point a link to a folder beside it, at once."""
    new = link.with_name(f".link_{link.name}")
    if link.exists() and not link.is_symlink():
        raise SaysoError(f"{link} is in the way of the run's link of that name; move it")
    new.unlink(missing_ok=True)
    new.symlink_to(target, target_is_directory=True)
    new.replace(link)
    fsync(link.parent)
