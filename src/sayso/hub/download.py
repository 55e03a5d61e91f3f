"""A model of the hub as a folder of one's own, to carry to a machine that has no network."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from sayso.core.errors import SaysoError
from sayso.encoders.load_encoder import HUB_NAME, hub_folder
from sayso.hub import cache


def pull(name: str, to: Path, *, notify: cache.Notify) -> int:
    """Copy a hub model into a folder that ``sayso.load`` takes; return its size in bytes.

    The folder appears whole or not at all.

    Args:
        name: the hub id; fetched first if it is not cached.
        to: a folder that does not exist yet, or is empty.
        notify: called with a sentence when something is fetched.

    Raises:
        SaysoError: if ``name`` is no hub id, the hub has no such model, or ``to`` is in use.
        Unavailable: if it is not cached and cannot be fetched.
    """
    if not HUB_NAME.fullmatch(name):
        raise SaysoError(
            f"only models of the hub can be pulled, by their id; {name!r} is none; see: sayso models"
        )
    to = to.expanduser().absolute()
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise SaysoError(f"{to} is there already and not an empty folder; give another --to")
    folder = hub_folder(name, notify)
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}-") as waiting:
        copy = shutil.copytree(folder, Path(waiting, to.name))  # what links of the cache point to
        size = sum(path.stat().st_size for path in copy.rglob("*") if path.is_file())
        copy.replace(to)
    return size
