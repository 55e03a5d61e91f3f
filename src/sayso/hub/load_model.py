"""``sayso.load``: from a name to a model of any kind.

Only registries know the classes, so that what is loaded is all that is imported; the types above
are named for type checkers alone.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, overload

from sayso.core.errors import MissingExtra, SaysoError, Unavailable
from sayso.core.install import install_command
from sayso.core.mistyped import near_folder
from sayso.hub import cache, catalog
from sayso.hub.download import hub_folder, need_hub_packages
from sayso.hub.hub_folder import refuse_own_code
from sayso.hub.kinds import ENCODERS, HUB_ENCODER, HUB_GENERATOR, KINDS, model_kind
from sayso.hub.model_folder import refuse_index, resolve_step
from sayso.hub.pretrained import in_words

if TYPE_CHECKING:
    from sayso.encoders.interface import Encoder
    from sayso.generators.base import Generator
    from sayso.systems.crosstask import StepClassifier
    from sayso.systems.instruction_steps import StepModel
    from sayso.systems.localize import Localizer

    Model: TypeAlias = Encoder | Generator | Localizer | StepClassifier | StepModel

AUTO = "auto"
log = logging.getLogger(__name__)


@overload
def load(name: Literal["auto", "offline"] = ..., *, device: str = ..., verify: bool = ...) -> Encoder: ...


@overload
def load(name: str, *, device: str = ..., verify: bool = ...) -> Model: ...


def load(name: str = AUTO, *, device: str = "auto", verify: bool = True) -> Model:
    """Load a model by name: a dual encoder, a generator, or what a system trained.

    Where a dual encoder is wanted, ``sayso.load_encoder`` makes sure of it; where one that answers in words,
    ``sayso.generators.load_generator``.

    Where SAYSO_OFFLINE=1 (or HF_HUB_OFFLINE=1), no connection is opened.

    Args:
        name: ``auto``: the hub model openai/clip-vit-base-patch32 where it is cached or the hub
            answers at once, else ``offline``; ``offline``: from PyPI packages alone; what a package
            registered as ``sayso.encoders``; a hub id such as ``google/siglip2-base-patch16-224``; or
            a folder: of such a model, or one that sayso wrote (train, convert, pull, steps,
            ``save_pretrained``). Of a run's folder, the best step is taken, or the last where none
            was measured.
        device: ``auto``, ``cpu``, ``cuda``, ``mps``, ...
        verify: whether a model folder must give its reference outputs.

    Raises:
        SaysoError: if there is no such model, or it cannot be read.
        Unavailable: if it is not on this machine and cannot be fetched.
        MissingExtra: if a package that it needs is not installed.
    """
    if name == AUTO:
        return _auto(device, verify)
    if name in ENCODERS.built_in:
        return _registered(name, device)
    path = Path(name).expanduser()
    if name and path.is_dir():
        return load_folder(resolve_step(path).resolve(), str(path.resolve()), device, verify)
    if name in ENCODERS:
        return _registered(name, device)
    if path.is_file():
        raise SaysoError(
            f"{name} is a file, where a model is a folder; a checkpoint of OpenFlamingo needs its language"
            " model and its picture tower beside it: see docs/systems/flamingo.md"
        )
    if len(path.parts) > 1 or name.startswith(("~", ".")):
        return load_folder(hub_folder(name), name, device, verify)
    near = catalog.nearest(name) or (f"; did you mean {str(here)!r}?" if (here := near_folder(path)) else ".")
    raise SaysoError(
        f"no model is called {name!r}{near}"
        " A model is 'auto', 'offline', a hub id or a folder, or what an installed package"
        " registers; see: sayso models"
    )


def load_folder(folder: Path, name: str, device: str, verify: bool) -> Model:
    """Load the model of a folder by the class that its kind is registered with.

    Args:
        folder: a model folder.
        name: what the model is called.
        device: where it runs.
        verify: whether its reference outputs are checked.

    Raises:
        SaysoError: if no installed package knows its kind.
        UsageError: if the folder is an index.
    """
    refuse_index(folder, name)
    kind = model_kind(folder)
    if kind in (HUB_ENCODER, HUB_GENERATOR):
        refuse_own_code(folder, name)
    if kind not in KINDS:
        raise SaysoError(
            f"{name} holds {in_words(kind)}, which no installed package can load; install its package"
        )
    loaded = KINDS[kind].from_pretrained(folder, name=name, device=device, verify=verify)
    return cast("Model", loaded)


def _registered(name: str, device: str) -> Encoder:
    """Return the encoder that is registered by a name.

    Raises:
        SaysoError: if it calls itself otherwise, so that an index could not be opened again.
    """
    encoder = ENCODERS[name](device=device)
    if encoder.name != name:
        raise SaysoError(
            f"the encoder that a package registers as {name!r} has the name {encoder.name!r}; make them one"
        )
    return encoder


def _auto(device: str, verify: bool) -> Encoder:
    """Load the hub model if it takes no waiting to know that it can be had, else ``offline``."""
    wanted = catalog.AUTO_MODEL
    try:
        need_hub_packages()
        reason = f"{wanted} is not in the cache and the model hub cannot be reached"
        if cache.cached_folder(wanted) or cache.reachable(wanted, catalog.revision(wanted)):
            return cast("Encoder", load(wanted, device=device, verify=verify))
    except MissingExtra as missing:
        reason = f"{missing.package!r}, which {wanted} needs, is not installed"
    except Unavailable as missing:
        reason = str(missing)
    try:
        encoder = load("offline", device=device)
    except MissingExtra as missing:
        raise Unavailable(
            f"no model can be loaded: {reason}, and {missing.package!r}, which 'offline' needs, is not"
            f" installed; run: {install_command('offline')}"
        ) from missing
    log.warning("using the model 'offline', which finds less, because %s", reason)
    return encoder
