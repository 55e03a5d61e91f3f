"""A classifier from a list of names: nothing is learned, and no picture of the classes is needed.

Somebody trained a dual encoder on pictures and what people wrote beside them. Now a class is a name. Put
into a few sentences and embedded, it is a weight; the class of a picture is the weight that is nearest.

    w_c = unit(mean_k unit(g(template_k with c)))
    p(c | x) = softmax_c(exp(t) <f(x), w_c>)

Where the encoder was trained with a sigmoid (SigLIP), each name has a probability of its own instead,
and they need not add up to one. See ``sayso.encoders.classifier`` for what a probability is.

Source
    Radford et al. 2021, CLIP. https://arxiv.org/abs/2103.00020
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sayso.core.arrays import Floats
from sayso.core.errors import MediaError
from sayso.core.io import write_atomic
from sayso.core.progress import Progress, Silent
from sayso.data.class_names import Names, Templates, read_names, read_templates
from sayso.data.manifest import Failure
from sayso.data.picture_files import FilePath, picture_files
from sayso.encoders.classifier import TEMPLATES, Classifier, classifier

if TYPE_CHECKING:
    from PIL.Image import Image

    from sayso.encoders.interface import Encoder

BATCH = 32  # pictures in memory at once


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroShotOptions:
    """What can be chosen when pictures are classified.

    Args:
        templates: sentences with ``{c}`` for the name, or a file of them; None: "a photo of a {c}.".
        model: the encoder, a name or a folder.
        top: how many names are reported for each picture, the likeliest first; None: all.
        device: where the encoder runs, if it is loaded here.
    """

    templates: Templates | Path | None = None
    model: str = "auto"
    top: int | None = 5
    device: str = "auto"


@dataclass(frozen=True, eq=False)
class ZeroShotResult:
    """What pictures show, by the names that were given.

    Attributes:
        pictures: one row a picture, ready for JSON: ``path``, and ``names``, the likeliest first: ``name``,
            ``probability``, and ``score``, the similarity.
        names: all that were asked for.
        equal: names that the model cannot tell apart, as their vectors are the same.
        exclusive: whether a picture's probabilities add up to one; else each name is judged by itself.
        failures: pictures that could not be read.
    """

    pictures: tuple[dict[str, Any], ...]
    names: tuple[str, ...]
    equal: tuple[tuple[str, ...], ...] = ()
    exclusive: bool = True
    failures: tuple[Failure, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return all of it, ready for JSON."""
        return {
            "pictures": list(self.pictures),
            "names": list(self.names),
            "equal": [list(names) for names in self.equal],
            "exclusive": self.exclusive,
            "failures": [failure.to_dict() for failure in self.failures],
        }

    def write(self, out: FilePath) -> list[Path]:
        """Write the rows of the pictures as JSON lines; return the file's path.

        Raises:
            SaysoError: if it cannot be written.
        """
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.pictures)
        write_atomic(out, lines)
        return [Path(out)]

    def table(self) -> list[str]:
        """Return one line a picture for people: the likeliest name, the next ones, the path."""
        found = []
        for row in self.pictures:
            first, *others = (f"{one['probability']:.2f} {one['name']}" for one in row["names"])
            then = f"  ({', '.join(others[:2])})" if others else ""
            found.append(f"{first:24}  {row['path']}{then}")
        return found


def run(
    pictures: Sequence[FilePath],
    names: Names | Path,
    options: ZeroShotOptions | None = None,
    *,
    encoder: Encoder | None = None,
    progress: Progress | None = None,
) -> ZeroShotResult:
    """Tell which of some names each picture shows.

    Args:
        pictures: files and folders of pictures.
        names: of the classes, or a file of them.
        options: what can be chosen.
        encoder: the model itself, instead of its name in the options.
        progress: reports pictures.

    Raises:
        SaysoError: if the model cannot be loaded, names or templates cannot be used, or there is no picture.
    """
    from sayso.encoders.named import load_encoder

    how, progress = options or ZeroShotOptions(), progress or Silent()
    paths = list(picture_files(pictures))
    asked = _names(names)
    templates = read_templates(how.templates) if isinstance(how.templates, Path) else how.templates
    model = encoder or load_encoder(how.model, device=how.device)
    made = classifier(model, asked, templates or TEMPLATES)
    rows: list[dict[str, Any]] = []
    failures: list[Failure] = []
    for start in range(0, len(paths), BATCH):
        some = paths[start : start + BATCH]
        read = [(path, picture) for path in some if (picture := _read(path, failures)) is not None]
        if read:
            found = made.encoder.encode_images([picture for _, picture in read])
            scores, probabilities = made.scores(found), made.probabilities(found)
            rows += [
                {"path": str(path), "names": _ranked(made, scores[k], probabilities[k], how.top)}
                for k, (path, _) in enumerate(read)
            ]
        progress.update(start + len(some), len(paths))
    equal = tuple(tuple(made.names[k] for k in numbers) for numbers in made.equal)
    return ZeroShotResult(tuple(rows), made.names, equal, made.exclusive, tuple(failures))


def _names(names: Names | Path) -> Names:
    """Return names, read from their file if they are in one.

    Raises:
        SaysoError: if the file names folders, not classes in order.
    """
    if not isinstance(names, Path):
        return names
    read = read_names(names)
    return list(read.values()) if isinstance(read, Mapping) else read


def _read(path: Path, failures: list[Failure]) -> Image | None:
    from sayso.media.images import read_image

    try:
        return read_image(path)
    except MediaError as error:
        failures.append(Failure(str(path), "decode", str(error)))
        return None


def _ranked(made: Classifier, scores: Floats, probabilities: Floats, top: int | None) -> list[dict[str, Any]]:
    """Return the names of a picture, the likeliest first; of equal ones the first."""
    return [
        {
            "name": made.names[k],
            "probability": round(float(probabilities[k]), 6),
            "score": round(float(scores[k]), 4),
        }
        for k in np.argsort(-scores, kind="stable")[:top]
    ]
