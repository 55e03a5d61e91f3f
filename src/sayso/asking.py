"""Asking about pictures and moments in one call: what ``sayso ask`` calls too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sayso.core.errors import SaysoError
from sayso.generators.base import GREEDY, Decoding
from sayso.generators.media_part import MediaPart, read_all
from sayso.generators.prompt import Exchange, Prompt, TemplateName
from sayso.generators.shots import read_shots

if TYPE_CHECKING:
    from sayso.generators.base import Generator
    from sayso.index import Hit, Index

MOMENTS, SHOTS = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model said, and what made it say so.

    Args:
        question: what was asked; empty: a caption.
        answer: the words; of choices, the likeliest.
        probabilities: of each choice; None where the model was free.
        shown: the pictures and moments it was asked about.
        model: its name.
        sha256: its identity.
        made_by: who made it, or for how long it learned, in a sentence.
    """

    question: str
    answer: str
    probabilities: dict[str, float] | None
    shown: tuple[MediaPart, ...]
    model: str
    sha256: str
    made_by: str

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return {
            "question": self.question,
            "answer": self.answer,
            "probabilities": self.probabilities,
            "shown": [one.to_dict() for one in self.shown],
            "model": self.model,
            "sha256": self.sha256,
            "made_by": self.made_by,
        }


def ask(
    question: str,
    shown: Sequence[str | MediaPart] = (),
    *,
    model: str | Generator = "auto",
    shots: Sequence[Exchange] = (),
    choices: Sequence[str] = (),
    template: TemplateName | None = None,
    decoding: Decoding = GREEDY,
    on_piece: Callable[[str], None] | None = None,
) -> Answer:
    """Ask about pictures and moments.

    Args:
        question: empty: a caption is asked for.
        shown: files, ``talk.mp4@12.5-18``; see ``MediaPart``.
        model: a name that ``load_generator`` takes, or a model.
        shots: examples that teach the task.
        choices: the answer is one of these, each with its probability.
        template: how it is spelled for models without a dialogue format.
        decoding: how words are chosen.
        on_piece: called with each piece of the answer as it is made; not of choices.

    Raises:
        SaysoError: if a file cannot be read, or the model cannot take the prompt.
        Unavailable: if the model is not at hand.

    Examples:
        ``sayso.ask("What is this?", ["beach.jpg"]).answer``
    """
    generator = _loaded(model)
    places = tuple(one if isinstance(one, MediaPart) else MediaPart.parse(one) for one in shown)
    prompt = Prompt.ask(question, read_all(places), shots=shots, template=template)
    return answer_prompt(generator, prompt, places, choices=choices, decoding=decoding, on_piece=on_piece)


def answer_prompt(
    model: Generator,
    prompt: Prompt,
    shown: Sequence[MediaPart],
    *,
    choices: Sequence[str] = (),
    decoding: Decoding = GREEDY,
    on_piece: Callable[[str], None] | None = None,
) -> Answer:
    """Answer a prompt.

    Args:
        model: what answers.
        prompt: a question, perhaps within a dialogue.
        shown: what its last question is about.
        choices: as for ``ask``.
        decoding: as for ``ask``.
        on_piece: as for ``ask``.

    Raises:
        SaysoError: if the model cannot take the prompt.
    """
    probabilities = choice_probabilities(model, prompt, choices) if choices else None
    if probabilities:
        said = max(probabilities, key=probabilities.__getitem__)
    elif on_piece:
        said = _streamed(model, prompt, decoding, on_piece)
    else:
        said = model.generate([prompt], decoding)[0]
    return Answer(
        question=prompt.exchanges[-1].text,
        answer=said,
        probabilities=probabilities,
        shown=tuple(shown),
        model=model.name,
        sha256=model.sha256,
        made_by=model.made_by,
    )


def _streamed(model: Generator, prompt: Prompt, decoding: Decoding, on_piece: Callable[[str], None]) -> str:
    pieces = []
    with closing(cast("Any", model.stream(prompt, decoding))) as stream:
        for piece in stream:
            on_piece(piece)
            pieces.append(piece)
    return "".join(pieces).strip()


def choice_probabilities(model: Generator, prompt: Prompt, choices: Sequence[str]) -> dict[str, float]:
    """Return the probability of each choice among them, from its mean log-likelihood a token.

    Args:
        model: what answers.
        prompt: what is asked.
        choices: two or more different answers.

    Raises:
        SaysoError: if there are fewer, or the model cannot take the prompt.
    """
    if len(set(choices)) < len(choices) or len(choices) < 2:
        raise SaysoError("choices must be two or more, all different: --choices yes,no")
    likelihood = model.log_likelihood([prompt], choices, per_token=True)[0]
    share = np.exp(likelihood - likelihood.max())
    return {choice: float(p) for choice, p in zip(choices, share / share.sum(), strict=True)}


def best_moments(index: Index, question: str, count: int = MOMENTS) -> list[MediaPart]:
    """Return the moments of an index that fit a question best.

    Args:
        index: the collection.
        question: what is asked.
        count: how many, at most.

    Raises:
        SaysoError: if nothing is found.
    """
    hits = index.search(question, limit=count)
    if not hits:
        raise SaysoError(f"nothing in the index fits {question!r}")
    return [hit_shown(hit) for hit in hits]


def hit_shown(hit: Hit) -> MediaPart:
    """Return what is shown of a hit: the picture, or the stretch of the video."""
    if hit.kind == "picture" or hit.end_s <= hit.start_s:
        return MediaPart(Path(hit.path))
    return MediaPart(Path(hit.path), hit.start_s, hit.end_s)


def nearest_shots(index: Index, shown: MediaPart, question: str, count: int = SHOTS) -> list[Exchange]:
    """Return the most similar pictures and moments of an index that have a text; it is their answer (RICES).

    The most similar comes last, next to what is asked (Yang et al., AAAI 2022).

    Args:
        index: the collection.
        shown: what is asked about; it is not its own example.
        question: that they answer.
        count: how many, at most.

    Raises:
        SaysoError: if no clip of the index has a text.
    """
    like = str(shown.path) if shown.start_s is None else f"{shown.path}@{shown.start_s:g}"
    hits = index.search("", like=like, filter="text != ''", limit=count + 1, text_weight=0.0)
    others = [hit for hit in hits if hit.path != str(shown.path)][:count]
    if not others:
        raise SaysoError("no other picture or moment of the index has a text that could be an example")
    return [Exchange(question, (hit_shown(hit).read(),), hit.text) for hit in reversed(others)]


def find_examples(
    shots: str | None, question: str, about: Sequence[MediaPart], index: Index | None
) -> list[Exchange]:
    """Return examples from a file, or the most similar ones of an index.

    Args:
        shots: the file of ``read_shots``; None: no examples, unless an index is given.
        question: that they answer.
        about: what is asked about.
        index: whose pictures and moments with texts are examples.

    Raises:
        SaysoError: if there are none, or they cannot be read.
    """
    if index is not None:
        return nearest_shots(index, about[0], question)
    return read_shots(shots, question) if shots else []


def split_question(what: Sequence[str], *, searched: bool) -> tuple[list[MediaPart], str | None]:
    """Return what is shown, and the question, which is what is no file.

    Args:
        what: the arguments.
        searched: whether there is an index to search, so that nothing need be shown.

    Raises:
        SaysoError: if a file is not there, or nothing is asked about.
    """
    *files, last = what
    try:
        shown, question = [MediaPart.parse(text) for text in what], None
    except SaysoError:
        if looks_like_file(last):
            raise
        shown, question = [MediaPart.parse(text) for text in files], last
    if not shown and not searched:
        raise SaysoError(f"there is no file {last}; name a picture first: sayso ask beach.jpg {last!r}")
    return shown, question


def looks_like_file(text: str) -> bool:
    """Tell whether somebody meant a file: one word with an ending or a folder in it, and no question."""
    return " " not in text.strip() and not text.endswith("?") and bool(Path(text).suffix or "/" in text)


def _loaded(model: str | Generator) -> Generator:
    if not isinstance(model, str):
        return model
    from sayso.generators.loading import load_generator

    return load_generator(model)
