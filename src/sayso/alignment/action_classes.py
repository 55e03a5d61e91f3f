"""A user's action classes, as ``--actions`` names them, and which of them a description mentions.

"open door, sit down"   names: the verb and object of each sentence, compared by a sentence embedding
classes.json            {"open door": "open(s|ed)? .*door"}: a regular expression for each class
labelled.csv            columns text, actions ("open door; sit down"): a bag-of-words classifier learns
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sayso.alignment.actions import (
    ActionWords,
    Embed,
    actions_by_meaning,
    actions_by_pattern,
)
from sayso.core.errors import SaysoError, UsageError

LEAST = 0.5  # probability from which the classifier's answer counts


@dataclass(frozen=True, slots=True)
class ActionMatcher:
    """Action classes and what recognises them in a text.

    Args:
        names: of the classes.
        match: texts -> for each the classes that it mentions, with a score of 0 to 1.
    """

    names: tuple[str, ...]
    match: Callable[[Sequence[str]], list[dict[str, float]]]


def action_matcher(given: str, embed: Embed | None = None) -> ActionMatcher:
    """Return what recognises the classes that a person names, or that a file defines.

    Args:
        given: names separated by commas, or the path of a ``.json`` or ``.csv`` file (see above).
        embed: texts -> embeddings, for names; None: those of the offline encoder.

    Raises:
        SaysoError: if the file is missing or wrong, or nothing is named.
    """
    if given.endswith(".json"):
        return _patterns(Path(given))
    if given.endswith(".csv"):
        return _classifier(Path(given))
    names = tuple(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    if not names:
        raise UsageError("--actions names no action; write it like: --actions 'open door, sit down'")
    encode = embed or _offline_embedding()
    return ActionMatcher(names, lambda texts: actions_by_meaning(texts, names, encode))


def _offline_embedding() -> Embed:
    from sayso.encoders import load_encoder

    return load_encoder("offline").encode_text


def _patterns(path: Path) -> ActionMatcher:
    try:
        patterns = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(patterns, dict) or not all(isinstance(p, str) for p in patterns.values()):
            raise ValueError("expected an object of names and regular expressions")  # noqa: TRY301
    except (OSError, ValueError) as error:
        raise SaysoError(f'{path} holds no classes like {{"open door": "open.*door"}}: {error}') from error

    def match(texts: Sequence[str]) -> list[dict[str, float]]:
        return [dict.fromkeys(names, 1.0) for names in actions_by_pattern(texts, patterns)]

    match([""])
    return ActionMatcher(tuple(patterns), match)


def _classifier(path: Path) -> ActionMatcher:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [(row["text"], row["actions"] or "") for row in csv.DictReader(file)]
        labels = [[name.strip() for name in names.split(";") if name.strip()] for _, names in rows]
        model = ActionWords().fit([text for text, _ in rows], labels)
    except KeyError as error:
        raise SaysoError(f"{path} has no column {error}; it needs the columns text and actions") from error
    except (OSError, ValueError, csv.Error) as error:
        raise SaysoError(f"{path} holds no labelled descriptions: {error}") from error

    def match(texts: Sequence[str]) -> list[dict[str, float]]:
        return [
            {name: float(p) for name, p in zip(model.classes, row, strict=True) if p >= LEAST}
            for row in model.predict(texts)
        ]

    return ActionMatcher(tuple(model.classes), match)
