"""The hub's cache on this machine: where it is, what is in it, and fetching what is not.

The layout is the hub's own: ``models--org--name/snapshots/<commit>/`` holds the
files, ``refs/<revision>`` names the commit of a branch. It is read here directly,
so that looking opens no connection and imports nothing heavy.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

from sayso.core.errors import SaysoError, Unavailable
from sayso.core.lazy import need
from sayso.core.offline import offline
from sayso.hub.model_folder import REFERENCE, WEIGHTS, own_kind

FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]  # nothing pickled is ever fetched
PATIENCE_S = 3.0


def hub_cache() -> Path:
    """Return the folder of the hub's cache, as its environment variables say."""
    environment = os.environ.get
    home = environment("HF_HOME") or str(Path(environment("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    hub = environment("HF_HUB_CACHE") or environment("HUGGINGFACE_HUB_CACHE") or str(Path(home) / "hub")
    return Path(os.path.expandvars(hub)).expanduser()


def is_model(folder: Path) -> bool:
    """Tell whether a folder holds a whole model: configurations, a vocabulary, every safetensors file."""
    if own_kind(folder) is not None:
        return all((folder / name).is_file() for name in (WEIGHTS, REFERENCE))
    return (
        (folder / "config.json").is_file()
        and any((folder / name).is_file() for name in ("preprocessor_config.json", "processor_config.json"))
        and any((folder / name).is_file() for name in ("tokenizer.json", "vocab.json", "spiece.model"))
        and all((folder / name).is_file() for name in _weights(folder))  # not a link whose blob is gone
    )


def _weights(folder: Path) -> set[str]:
    """Return the names of the safetensors files that a model is made of."""
    try:
        index = json.loads((folder / "model.safetensors.index.json").read_text(encoding="utf-8"))
        return set(index["weight_map"].values())
    except (OSError, ValueError, KeyError, AttributeError):
        return {"model.safetensors"}


def cached_folder(name: str) -> Path | None:
    """Return the newest whole snapshot of a hub model, the main branch's first; None if there is none."""
    repository = hub_cache() / f"models--{name.replace('/', '--')}"
    snapshots = sorted(
        repository.glob("snapshots/*"), key=lambda folder: folder.stat().st_mtime, reverse=True
    )
    main = repository / "refs" / "main"
    if main.is_file():
        snapshots.insert(0, repository / "snapshots" / main.read_text(encoding="utf-8").strip())
    return next((folder for folder in snapshots if is_model(folder)), None)


def cached_names() -> list[str]:
    """Return the names of the models in the cache that are whole, sorted."""
    names = (
        folder.name.removeprefix("models--").replace("--", "/") for folder in hub_cache().glob("models--*")
    )
    return sorted(name for name in names if cached_folder(name))


def reachable(name: str, revision: str, patience_s: float = PATIENCE_S) -> bool:
    """Tell whether the hub answers about a model, and waits no longer than ``patience_s`` for it.

    A thread waits, since a name server that does not answer is beyond the client's time limits.

    Args:
        name: the hub id.
        revision: branch, tag or commit.
        patience_s: seconds.
    """
    if offline():
        return False
    answers: list[Any] = []

    def ask() -> None:
        try:
            hub = need("huggingface_hub", "hub")
            hub.HfApi(endpoint=_endpoint()).model_info(name, revision=revision, timeout=patience_s)
        except Exception:  # noqa: BLE001  any failure means: not reachable
            return
        answers.append(True)

    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience_s)
    return bool(answers)


def fetch(name: str, revision: str, hint: str = "") -> Path:
    """Download a model into the hub's cache: configuration, vocabulary and safetensors only.

    Args:
        name: the hub id.
        revision: branch, tag or commit.
        hint: put behind what is said of a model that is not there, or cannot be reached.

    Raises:
        MissingExtra: if huggingface_hub is not installed.
        SaysoError: if the hub has no such model, or only its pickled weights.
        Unavailable: if it cannot be reached, or refuses.
    """
    hub = need("huggingface_hub", "hub")
    with _no_bars(need("huggingface_hub.utils", "hub")):
        folder = _download(hub, name, revision, hint)
    if not any(folder.glob("*.safetensors")):
        raise SaysoError(
            f"the hub has no safetensors of {name}; pickled weights, which can run code, are not read:"
            " convert them with transformers (load, then save_pretrained) and give the folder"
        )
    return folder


def _download(hub: ModuleType, name: str, revision: str, hint: str) -> Path:
    errors = need("huggingface_hub.errors", "hub")
    try:
        folder = hub.snapshot_download(
            name, revision=revision, cache_dir=hub_cache(), allow_patterns=FILES, endpoint=_endpoint()
        )
    except errors.GatedRepoError as error:
        raise Unavailable(
            f"the hub gives {name} only to who accepted its terms; do so, then: hf auth login"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise SaysoError(
            f"the hub has no model called {name!r}{hint}; known ones are listed by: sayso models"
        ) from error
    except Exception as error:
        raise Unavailable(
            f"{name} is no folder here, is not in the cache {hub_cache()}, and could not be fetched from"
            f" the hub ({type(error).__name__}){hint}; connect, or copy its folder here and give the"
            " folder's path"
        ) from error
    return Path(folder)


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


@contextmanager
def _no_bars(utils: ModuleType) -> Iterator[None]:
    """Keep the hub's client from drawing progress bars: the library never prints."""
    drawn = not utils.are_progress_bars_disabled()
    utils.disable_progress_bars()
    try:
        yield
    finally:
        if drawn:
            utils.enable_progress_bars()
