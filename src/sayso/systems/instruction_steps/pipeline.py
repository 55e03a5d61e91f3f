"""From a folder of narrated videos to the steps of their task, and to the same steps in other videos."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.core.errors import MissingExtra, SaysoError
from sayso.core.install import install_command
from sayso.core.progress import Progress
from sayso.systems.instruction_steps.discover import GIVEN, StepModel, discover_steps
from sayso.systems.instruction_steps.folder import read_narrated, refuse_silent
from sayso.systems.instruction_steps.recipe import StepsRecipe
from sayso.systems.instruction_steps.result import StepsResult, described_steps, located_video

if TYPE_CHECKING:
    from sayso.encoders import Encoder

log = logging.getLogger(__name__)
FilePath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsOptions:
    """What can be chosen beside the recipe.

    Args:
        recipe: how steps are discovered; ``apply`` takes the model's own.
        model: the encoder, a name or a folder; None: ``auto``, or for ``apply`` the model's own.
        features: folder of ``<video's name>.npy``, (T, D), instead of an encoder.
        store: folder that keeps the features that the encoder extracts; None: ``FOLDER.steps/features``,
            or for ``apply`` ``MODEL/applied/features``.
        synonyms: whether words are the same that the offline text model holds near.
        device: where the encoder runs.
    """

    recipe: StepsRecipe = field(default_factory=StepsRecipe)
    model: str | None = None
    features: FilePath | None = None
    store: FilePath | None = None
    synonyms: bool = False
    device: str = "auto"


def run(
    folder: FilePath, options: StepsOptions | None = None, *, progress: Progress | None = None
) -> StepsResult:
    """Discover the steps of the task that all videos of a folder show.

    Args:
        folder: narrated videos of one task, with captions beside them.
        options: what can be chosen.
        progress: reports videos and iterations.

    Raises:
        SaysoError: if there is no video, or the narrations have nothing in common.
    """
    how, folder = options or StepsOptions(), absolute_folder(folder)
    encoder = None if how.features is not None else _encoder(how.model or "auto", how.device)
    if encoder is not None:
        refuse_silent([str(folder)])
    store = how.features or how.store or folder_beside(folder) / "features"
    read = read_narrated(
        [str(folder)], features=Path(store), encoder=encoder, rate=how.recipe.rate, progress=progress
    )
    embed = _encoder("offline", how.device).encode_text if how.synonyms else None
    found = discover_steps(read.videos, how.recipe, embed=embed, parser=verb_parser(), progress=progress)
    wanted, C = how.recipe.num_steps, len(found.script)
    if wanted is not None and wanted > C:
        log.warning("the narrations have only %d in common, not %d steps", C, wanted)
    model = replace(found.model, encoder=GIVEN if encoder is None else how.model or encoder.name)
    rows = zip(read.paths, read.videos, found.locations, strict=True)
    videos = tuple(located_video(path, video, there, model) for path, video, there in rows)
    return StepsResult(folder.name, described_steps(found.script), videos, model, tuple(read.failures), True)


def apply(
    model: FilePath,
    videos: Sequence[FilePath],
    options: StepsOptions | None = None,
    *,
    progress: Progress | None = None,
) -> StepsResult:
    """Find the steps of an earlier result in other videos, narrated or silent.

    Args:
        model: the folder that ``StepsResult.write`` wrote.
        videos: files and folders.
        options: what can be chosen; the recipe is the model's own.
        progress: reports videos.

    Raises:
        SaysoError: if the folder holds no steps, or there is no video.
    """
    how, place = options or StepsOptions(), Path(model)
    known = StepModel.from_pretrained(place)
    if known.encoder == GIVEN and how.features is None:
        raise SaysoError(f"{place} was made from given features; give those of the new videos by --features")
    encoder = None if how.features is not None else _encoder(how.model or known.encoder, how.device)
    store = how.features or how.store or place / "applied" / "features"
    read = read_narrated(
        [str(path) for path in videos],
        features=Path(store),
        encoder=encoder,
        rate=known.recipe.rate,
        progress=progress,
    )
    parser = verb_parser()
    located = tuple(
        located_video(path, video, known.locate(video, parser), known)
        for path, video in zip(read.paths, read.videos, strict=True)
    )
    steps = tuple({"name": n, "phrases": [n], "videos": 0, "example": None} for n in known.names)
    return StepsResult(place.name, steps, located, known, tuple(read.failures), False)


def absolute_folder(folder: FilePath) -> Path:
    """Return the absolute path of a folder as it was named: a link to a folder keeps its own place."""
    return Path(os.path.abspath(Path(folder).expanduser()))  # noqa: PTH100  resolve() follows links


def folder_beside(folder: FilePath) -> Path:
    """Return where the steps of a folder of videos go unless somebody says where: FOLDER.steps.

    Raises:
        SaysoError: if the folder is the root, beside which there is nothing.
    """
    place = absolute_folder(folder)
    if not place.name:
        raise SaysoError(f"nothing can be written beside {place}; name a folder in it, or give --out")
    return place.with_name(f"{place.name}.steps")


def verb_parser() -> Any:
    """Return spaCy's parser if it is installed, else None: rules find the verbs and objects."""
    from sayso.text.language.actions import load_parser

    if find_spec("spacy") is None:
        instead = install_command("scripts")
        log.info("spaCy is not installed, so rules find the verbs and objects; to have it: %s", instead)
        return None
    try:
        return load_parser()
    except MissingExtra as error:
        log.info("%s; rules find the verbs and objects", error)
        return None


def _encoder(name: str, device: str) -> Encoder:
    from sayso.encoders import load_encoder

    return load_encoder(name, device=device)
