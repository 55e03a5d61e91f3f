"""Models of the hub: found in the cache, fetched if need be, copied to carry to a machine without network."""

from __future__ import annotations

import logging
import shutil
from importlib.util import find_spec
from pathlib import Path

from sayso.core.errors import MissingExtra, SaysoError, Unavailable
from sayso.core.io import atomic_folder
from sayso.core.mistyped import HUB_ID, folder_hint, nothing_there
from sayso.core.offline import offline
from sayso.hub import cache, catalog
from sayso.hub.hub_folder import is_dual_encoder
from sayso.hub.kinds import HUB_ENCODER, KINDS, model_kind

log = logging.getLogger(__name__)


def hub_folder(name: str) -> Path:
    """Return the folder of a hub model, fetched if need be.

    Raises:
        SaysoError: if the hub has no such model, or it is no hub id but the path of a folder, and not there.
        Unavailable: if it is not cached and connections are forbidden, or fail.
        MissingExtra: if a package that hub models need is not installed.
    """
    said = nothing_there(name)
    if said is not None:
        raise SaysoError(said)
    return _hub_model(name)


def _hub_model(name: str) -> Path:
    need_hub_packages()  # before anything large is fetched
    folder = cache.cached_folder(name)
    if folder is not None:
        return folder
    hint = folder_hint(name) or catalog.nearest(name)
    if offline():
        raise Unavailable(
            f"{name} is not at hand: it is not a folder here and not in the cache {cache.hub_cache()}, and"
            f" SAYSO_OFFLINE or HF_HUB_OFFLINE forbids fetching it{hint}"
        )
    model = catalog.known(name)
    size = f" ({model.size_bytes / 10**6:.0f} MB)" if model and model.size_bytes else ""
    log.info("fetching %s%s from the model hub into %s", name, size, cache.hub_cache())
    return cache.fetch(name, catalog.revision(name), hint)


def pull(name: str, out: Path) -> int:
    """Copy a hub model into a model folder that ``sayso.load`` takes; return its size in bytes.

    The folder appears whole or not at all. A dual encoder gets reference outputs, so that loading the
    copy notices damage, and a model card; its own files stay as they are.

    Args:
        name: the hub id; fetched first if it is not cached.
        out: a folder that does not exist yet, or is empty.

    Raises:
        SaysoError: if ``name`` is no hub id, the hub has no such model, or ``out`` is in use.
        Unavailable: if it is not cached and cannot be fetched.
    """
    if not HUB_ID.fullmatch(name):
        raise SaysoError(
            f"only models of the hub can be pulled, by their id; {name!r} is none; see: sayso models"
        )
    out = out.expanduser().absolute()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):  # before anything large is fetched
        raise SaysoError(f"{out} is there already and not an empty folder; give another --out")
    folder = _hub_model(name)
    if model_kind(folder) == HUB_ENCODER and is_dual_encoder(folder):
        model = KINDS[HUB_ENCODER].from_pretrained(folder, name=name, device="cpu", verify=False)
        model.save_pretrained(out)
    else:
        with atomic_folder(out) as new:
            copy_files(folder, new)
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file())


def copy_files(folder: Path, out: Path) -> None:
    """Copy a folder's files into another; what the links of the hub's cache point to, not the links."""
    shutil.copytree(folder, out, dirs_exist_ok=True)


def need_hub_packages() -> None:
    """Raise MissingExtra unless the packages that hub models need are installed."""
    for package in ("torch", "transformers", "huggingface_hub"):
        if find_spec(package) is None:
            raise MissingExtra(package, "hub")
