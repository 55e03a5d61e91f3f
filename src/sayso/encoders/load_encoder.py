"""``sayso.load``: from a name to an encoder."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.core.errors import MissingExtra, SaysoError, Unavailable
from sayso.hub import cache, catalog
from sayso.hub import model_folder as saved

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def load(name: str = "auto", *, device: str = "auto", notify: cache.Notify | None = None) -> Encoder:
    """Load an encoder by name.

    Where SAYSO_OFFLINE=1 (or HF_HUB_OFFLINE=1), no connection is opened.

    Args:
        name: ``auto``: the hub model openai/clip-vit-base-patch32 where it is cached or the hub
            answers at once, else ``offline``; ``offline``: from PyPI packages alone; a hub id such
            as ``google/siglip2-base-patch16-224``; or a folder that holds such a model, or
            one that sayso wrote (train, convert, ``save_pretrained``). Of a run's folder, the
            best step is taken, or the last where none was measured.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``, ...
        notify: called with a sentence about what a person should know: a download, a fall-back.

    Raises:
        SaysoError: if there is no such model, or it cannot be read.
        Unavailable: if it is not on this machine and cannot be fetched.
        MissingExtra: if a package that it needs is not installed.
    """
    notify = notify or _ignore
    if name == "auto":
        return _auto(device, notify)
    if name == "offline":
        from sayso.encoders.offline import OfflineEncoder

        return OfflineEncoder(device)
    path = Path(name).expanduser()
    if name and path.is_dir():
        return _from_folder(_step_of(path).resolve(), str(path.resolve()), device)
    if HUB_NAME.fullmatch(name) and not name.startswith("."):
        return _from_folder(hub_folder(name, notify), name, device)
    if len(path.parts) > 1 or name.startswith(("~", ".")):
        raise SaysoError(f"there is no model folder {name}")
    raise SaysoError(
        f"no model is called {name!r}{catalog.nearest(name) or '.'}"
        " A model is 'auto', 'offline', a hub id or a folder; see: sayso models"
    )


def _auto(device: str, notify: cache.Notify) -> Encoder:
    """Load the hub model if it takes no waiting to know that it can be had, else ``offline``."""
    wanted = catalog.AUTO_MODEL
    try:
        _need_hub_packages()
        reason = f"{wanted} is not in the cache and the model hub cannot be reached"
        if cache.cached_folder(wanted) or cache.reachable(wanted, _revision(wanted)):
            return load(wanted, device=device, notify=notify)
    except MissingExtra as missing:
        reason = f"{missing.package!r}, which {wanted} needs, is not installed"
    except Unavailable as missing:
        reason = str(missing)
    try:
        encoder = load("offline", device=device)
    except MissingExtra as missing:
        raise Unavailable(
            f"no model can be loaded: {reason}, and {missing.package!r}, which 'offline' needs, is not"
            " installed; run: pip install 'sayso[offline]'"
        ) from missing
    notify(f"using the model 'offline', which finds less, because {reason}")
    return encoder


def _step_of(folder: Path) -> Path:
    """Return the step to use of a run's folder; any other folder as it is."""
    steps = (folder / name for name in ("best", "latest"))
    return next((step for step in steps if (step / "config.json").is_file()), folder)


def _from_folder(folder: Path, name: str, device: str) -> Encoder:
    kind = saved.kind_of(folder)
    if kind == "text-video":
        from sayso.encoders.video_text import TextVideoEncoder

        return TextVideoEncoder.from_pretrained(folder, name=name, device=device)
    if kind == "howto100m":
        from sayso.encoders.feature_text import HowTo100MEncoder

        return HowTo100MEncoder.from_pretrained(folder, name=name, device=device)
    from sayso.encoders.hub import HubEncoder

    return HubEncoder(folder, name, device)


def hub_folder(name: str, notify: cache.Notify) -> Path:
    """Return the folder of a hub model, fetched if need be.

    Raises:
        SaysoError: if the hub has no such model.
        Unavailable: if it is not cached and connections are forbidden, or fail.
    """
    _need_hub_packages()  # before anything large is fetched
    folder = cache.cached_folder(name)
    if folder is not None:
        return folder
    if cache.offline():
        raise Unavailable(
            f"{name} is not at hand: it is not a folder here and not in the cache {cache.hub_cache()}, and"
            f" SAYSO_OFFLINE or HF_HUB_OFFLINE forbids fetching it{catalog.nearest(name)}"
        )
    model = catalog.known(name)
    size = f" ({model.size_bytes / 10**6:.0f} MB)" if model and model.size_bytes else ""
    notify(f"fetching {name}{size} from the model hub into {cache.hub_cache()}")
    return cache.fetch(name, _revision(name), catalog.nearest(name))


def _need_hub_packages() -> None:
    for package in ("torch", "transformers", "huggingface_hub"):
        if find_spec(package) is None:
            raise MissingExtra(package, "hub")


def _revision(name: str) -> str:
    model = catalog.known(name)
    return model.revision if model else "main"


def _ignore(sentence: str) -> None:
    """Tell nobody."""
