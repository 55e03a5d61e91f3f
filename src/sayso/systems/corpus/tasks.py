"""Which how-to titles are about something that can be seen: the first stage of a corpus.

A task can be seen if its main verb is a physical action on something, or a movement: a person with a camera
could film its steps. A logistic regression on a sentence embedding, the verb's embedding, a list of verbs and
a list of topics says how likely that is (``scripts/train_title_classifier.py`` learns it). A person's
corrections win.

Source
    Miech et al., ICCV 2019, section 3.1 (the rule). https://arxiv.org/abs/1906.03327
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sayso.core.arrays import Float32s, Floats
from sayso.core.device import cores
from sayso.core.errors import SaysoError
from sayso.core.harmless import harmless, harmless_cells
from sayso.core.io import write_atomic
from sayso.core.progress import Progress, Silent
from sayso.data.csv_rows import csv_rows
from sayso.systems.corpus.title_features import TitleWords, read_words, title_features, verb_kind
from sayso.text.captions.encoding import decode_text
from sayso.text.language.run_together import split_title

if TYPE_CHECKING:
    from sayso.models.minilm import MiniLM

THRESHOLD = 0.5
TOGETHER = 512  # titles that a thread embeds at once
COLUMNS = ("title", "visual", "score", "reason", "verb", "object")
YES, _NO = frozenset({"1", "true", "yes", "y"}), frozenset({"0", "false", "no", "n"})


@dataclass(frozen=True, slots=True)
class Task:
    """A title, whether its task can be seen, and why it is thought so.

    Args:
        title: in words.
        visual: whether it can be seen.
        score: how likely that is, 0 to 1.
        reason: what speaks for it, or that a person said so.
        verb: its verb.
        object: on what.
    """

    title: str
    visual: bool
    score: float
    reason: str
    verb: str
    object: str

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return {**asdict(self), "score": round(self.score, 4)}


@dataclass(frozen=True, eq=False)
class TitleClassifier:
    """A logistic regression on ``title_features``.

    Args:
        weights: (D,).
        bias: a number.
    """

    weights: Floats
    bias: float

    @classmethod
    def load(cls) -> TitleClassifier:
        """Return the one that sayso ships."""
        with (resources.files("sayso.systems.corpus") / "title_classifier.npz").open("rb") as file:
            stored = np.load(file, allow_pickle=False)
            return cls(stored["weights"].astype(np.float64), float(stored["bias"]))

    def __call__(self, features: Float32s) -> Floats:
        """Return the probability (N,) that each of N titles (N, D) can be seen."""
        logits: Floats = features @ self.weights + self.bias
        return 1 / (1 + np.exp(-logits))


def score_tasks(
    titles: Sequence[str],
    *,
    threshold: float = THRESHOLD,
    corrections: Mapping[str, bool] | None = None,
    progress: Progress | None = None,
) -> list[Task]:
    """Return a task a title, in order; run-together titles (``HowtoTieaTie1``) come back in words.

    Args:
        titles: any number.
        threshold: from which score a task counts as one that can be seen, 0 to 1.
        corrections: what a person says of titles, in any case.
        progress: updated with how many titles are done.

    Raises:
        MissingExtra: if a package of the extras ``offline`` or ``corpus`` is not installed.
    """
    said = {title.casefold(): visual for title, visual in (corrections or {}).items()}
    readable = [split_title(title) for title in titles]
    parts = [readable[start : start + TOGETHER] for start in range(0, len(readable), TOGETHER)]
    classify, embed = TitleClassifier.load(), _text_tower()
    tasks: list[Task] = []
    with ThreadPoolExecutor(cores()) as pool:
        scored = pool.map(lambda part: classify(title_features(part, embed)), parts)
        for part, scores in zip(parts, scored, strict=True):
            tasks += [
                _task(title, float(score), threshold, said) for title, score in zip(part, scores, strict=True)
            ]
            (progress or Silent()).update(len(tasks), len(titles))
    return tasks


def read_titles(path: Path) -> list[str]:
    """Read titles: one a line, or the column ``title`` of a CSV; blank lines are left out.

    Raises:
        SaysoError: if it cannot be read, or holds no title.
    """
    try:
        if path.suffix.lower() in (".csv", ".tsv"):
            titles = [row["title"] or "" for _, row in _with_title(path, ("title",))]
        else:
            titles = decode_text(path.read_bytes())[0].splitlines()
    except (OSError, ValueError, csv.Error) as error:
        raise unreadable(path, "a list of titles", error) from error
    found = [harmless(" ".join(title.split())) for title in titles if title.strip()]
    if not found:
        raise SaysoError(f"{path} holds no title; it needs one a line, or a CSV with the column title")
    return found


def read_corrections(path: Path) -> dict[str, bool]:
    """Read a person's corrections: a CSV with the columns ``title`` and ``visual`` (1 or 0).

    Raises:
        SaysoError: if it cannot be read, with the line.
    """
    said: dict[str, bool] = {}
    try:
        for line, row in _with_title(path, ("title", "visual")):
            answer = (row.get("visual") or "").strip().lower()
            if answer not in YES | _NO:
                raise SaysoError(f"{path}, line {line}: visual is {answer!r}; write 1 or 0")
            said[split_title(row["title"] or "")] = answer in YES
    except (OSError, ValueError, csv.Error) as error:
        raise unreadable(path, "corrections", error) from error
    return said


def write_tasks(path: Path, tasks: Sequence[Task]) -> None:
    """Write tasks as a CSV with the columns of ``COLUMNS``; a person may edit it and give it as corrections.

    Raises:
        SaysoError: if it cannot be written, or a foreign file is there.
    """
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\n")
    writer.writerow(COLUMNS)
    for task in tasks:
        row = task.to_dict() | {"visual": int(task.visual)}
        writer.writerow(harmless_cells({column: row[column] for column in COLUMNS}))
    write_atomic(path, held.getvalue())


def unreadable(path: Path, what: str, error: Exception) -> SaysoError:
    """Return the error for a list that cannot be read.

    Args:
        path: of the list.
        what: it should be, as "titles".
        error: why not.
    """
    why = str(error)
    if isinstance(error, UnicodeDecodeError):
        why = "it is no text in UTF-8"
    elif isinstance(error, OSError):
        why = error.strerror or why
    return SaysoError(f"{path} cannot be read as {what}: {why}")


def _with_title(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str | None]]]:
    for line, row in csv_rows(path, columns):
        if "title" not in row:
            raise ValueError("there is no column title")
        yield line, row


def _task(title: str, score: float, threshold: float, said: Mapping[str, bool]) -> Task:
    words = read_words(title)
    correction = said.get(title.casefold())
    visual = score >= threshold if correction is None else correction
    reason = "a person said so" if correction is not None else _reason(words)
    return Task(title, visual, score, reason, words.verb, words.object)


def _reason(words: TitleWords) -> str:
    """Say what is known of the verb and the topic."""
    kinds = {
        "physical": f"{words.verb} is a physical action",
        "other": f"{words.verb} is no physical action",
        "either": f"{words.verb} may be a physical action",
        "unknown": f"{words.verb or 'the verb'} is judged by its meaning",
    }
    topics = f"; about {', '.join(words.topics)}" if words.topics else ""
    return kinds[verb_kind(words.verb)] + topics


@cache
def _text_tower() -> MiniLM:
    from sayso.models.minilm import MiniLM

    return MiniLM()
