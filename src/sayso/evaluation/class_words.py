"""The words that an evaluation makes a classifier of, where they come from, and the classifier."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sayso.core.errors import SaysoError
from sayso.core.progress import Progress
from sayso.data.class_names import Names, Templates, packaged_names, read_names, read_templates
from sayso.encoders.classifier import TEMPLATES, Classifier, class_weights, with_weights
from sayso.encoders.conse import imagenet_classes
from sayso.evaluation.embedding_cache import cached
from sayso.evaluation.evaluator import EvaluationOptions

if TYPE_CHECKING:
    from sayso.encoders.interface import Embeddings, Encoder

log = logging.getLogger(__name__)
IMAGENET = "imagenet1k"


@dataclass(frozen=True)
class ClassWords:
    """Names of classes, templates for them, and where both come from."""

    names: Names
    templates: Templates
    source: str

    @property
    def title(self) -> str:
        """Where they come from and how many templates there are, a few words."""
        each = "each name's own" if isinstance(self.templates, Mapping) else f"{len(self.templates)}"
        return f"words of {self.source}, templates: {each}"

    @property
    def definition(self) -> dict[str, Any]:
        """What a result says of them: their source, how many templates, and a digest of each."""
        of_each = isinstance(self.templates, Mapping)
        return {
            "words": self.source,
            "templates": "each name's own" if of_each else len(self.templates),
            "names_sha256": _digest(self.names),
            "templates_sha256": _digest(self.templates),
        }


def imagenet_words(options: EvaluationOptions) -> ClassWords:
    """Return the 1,000 names of ImageNet's classes and templates for them.

    They come from the files that are named; else from an installed package, as they are published (open_clip
    or clip_benchmark: 80 templates); else they are WordNet's names in one sentence, which is told.

    Args:
        options: with the files.

    Raises:
        SaysoError: if a file cannot be read, or does not hold 1,000 names.
    """
    shipped = packaged_names(IMAGENET)
    own = [name for _, name, _ in imagenet_classes()]
    if shipped is not None:
        words = ClassWords(shipped.names, shipped.templates, shipped.source)
    else:
        words = ClassWords(own, TEMPLATES, "WordNet")
        if options.names is None or options.templates is None:
            log.warning(
                "the published names and templates are not at hand (pip install --no-deps clip_benchmark, or"
                " name files with --names and --templates), so WordNet's names and the template %r are used;"
                " do not compare the numbers with published ones",
                TEMPLATES[0],
            )
    return _with_files(words, options, IMAGENET, len(own))


def folder_words(
    folders: Sequence[str], options: EvaluationOptions, source: str = "the folders"
) -> ClassWords:
    """Return names of class folders: those of a file, else what the folders are called, ``_`` a space.

    Args:
        folders: of the C classes, in order.
        options: with the files of names (in the order of the folders, or by folder) and of templates.
        source: what has these names, where no file is given.

    Raises:
        SaysoError: if a file cannot be read, or lacks a folder's name.
    """
    called = [" ".join(folder.replace("_", " ").split()) or folder for folder in folders]
    own = ClassWords(called, TEMPLATES, source)
    return _with_files(own, options, "", len(folders), folders)


def words_classifier(
    encoder: Encoder, words: ClassWords, cache: Path | None, progress: Progress
) -> Classifier:
    """Return the classifier of words; its weights are kept in the cache.

    Args:
        encoder: any dual encoder.
        words: names and templates.
        cache: a folder, or None.
        progress: updated with how many sentences are embedded.

    Raises:
        SaysoError: as of ``sayso.classifier``.
    """

    def keep(some: Sequence[Sequence[str]], make: Callable[[], Embeddings]) -> Embeddings:
        decides = {"model": [encoder.name, encoder.sha256], "sentences": some}
        return cached(cache, decides, lambda: {"weights": make()})["weights"]

    weights = class_weights(encoder, words.names, words.templates, keep=keep, progress=progress)
    return with_weights(encoder, words.names, weights)


def _with_files(
    words: ClassWords, options: EvaluationOptions, dataset: str, count: int, folders: Sequence[str] = ()
) -> ClassWords:
    """Return words with those of the files that are named in their place.

    Raises:
        SaysoError: if a file cannot be read, or holds another number of names.
    """
    names, templates, sources = words.names, words.templates, [words.source]
    if options.names is not None:
        read = read_names(options.names, dataset)
        names = _in_order(read, folders, options.names) if isinstance(read, Mapping) else read
        sources.append(options.names.name)
    if options.templates is not None:
        templates = read_templates(options.templates, dataset)
        sources.append(options.templates.name)
    if len(names) != count:
        raise SaysoError(f"{options.names} holds {len(names):,} names, and there are {count:,} classes")
    both = options.names is not None and options.templates is not None
    return ClassWords(names, templates, " and ".join(sources[1:] if both else sources))


def _in_order(read: Mapping[str, Any], folders: Sequence[str], path: Path) -> Names:
    """Return names by folder in the order of the folders.

    Raises:
        SaysoError: if one is lacking.
    """
    lacking = next((folder for folder in folders if folder not in read), None)
    if lacking is not None or not folders:
        raise SaysoError(f"{path} has no name for {lacking or 'these classes'}")
    return [read[folder] for folder in folders]


def _digest(words: Names | Templates) -> str:
    plain = dict(words) if isinstance(words, Mapping) else list(words)
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False).encode()).hexdigest()
