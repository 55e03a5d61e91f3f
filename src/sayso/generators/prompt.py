"""What a generator is asked: pictures and words in turn, with examples or a dialogue before; all templates.

A prompt is a list of exchanges. Each has pictures, a text and its answer; only the last one's answer is
missing. Supports (few-shot examples) and what was said before in a dialogue are the same thing.

    Prompt.ask("What is this?", [pixels])
    Prompt.ask("", [pixels])                                    a caption
    Prompt.ask("What is this?", [pixels], shots=[Exchange("What is this?", (other,), "a cat")])
    prompt.then("a cat", "What colour is it?")                  the dialogue goes on

Pictures stand where the text says ``<image>``, or before it where it does not say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sayso.core.arrays import Pixels
from sayso.core.errors import SaysoError
from sayso.data.interleaved import END, IMAGE
from sayso.encoders.preprocess import as_rgb

if TYPE_CHECKING:
    from PIL.Image import Image


CAPTION_REQUEST = "Describe the picture in one short sentence."
BRIEFLY = "Answer the question using a single word or phrase."
LEAD = " "  # before an answer, in models that are trained here: a blank, as language models are used to
TemplateName = Literal["caption", "vqa", "plain"]


@dataclass(frozen=True, slots=True)
class Template:
    """How Flamingo and OpenFlamingo spell an exchange.

    Args:
        before: what stands before the answer; ``{}`` is the exchange's text.
        between: what follows the end of an exchange where another one comes.
    """

    before: str
    between: str


TEMPLATES: dict[TemplateName, Template] = {
    "caption": Template("Output:", "\n"),
    "vqa": Template("Question:{} Short answer:", "\n"),
    "plain": Template("{}", ""),
}


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """Pictures, what is asked or said about them, and the answer.

    Args:
        text: with a marker ``<image>`` for each picture, or with none: the pictures then come first.
        pictures: PIL images or (H, W, 3) uint8; a clip is (T, H, W, 3) uint8.
        answer: None: it is asked for.

    Raises:
        SaysoError: if the markers are not as many as the pictures, or something is no picture.
    """

    text: str
    pictures: tuple[Image | Pixels, ...] = ()
    answer: str | None = None

    def __post_init__(self) -> None:
        markers, count = self.text.count(IMAGE), len(self.pictures)
        if markers and markers != count:
            raise SaysoError(
                f"the text has {markers} {IMAGE} markers and comes with {count} pictures;"
                " give one marker a picture, or none"
            )
        object.__setattr__(self, "pictures", tuple(map(_as_pixels, self.pictures)))

    @property
    def marked(self) -> str:
        """The text with a marker for each picture."""
        return self.text if IMAGE in self.text else IMAGE * len(self.pictures) + self.text


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """What a generator is asked.

    Args:
        exchanges: the last is asked for, those before have answers.
        template: how it is spelled for models without a dialogue format: ``caption``, ``vqa``, or
            ``plain``, the text as it is; None: a caption if the last text is empty, else ``vqa``.

    Raises:
        SaysoError: if there is no exchange, the last has an answer, or an earlier one has none.
    """

    exchanges: tuple[Exchange, ...]
    template: TemplateName | None = None

    def __post_init__(self) -> None:
        answered = [exchange.answer is not None for exchange in self.exchanges]
        if not answered or answered[-1] or not all(answered[:-1]):
            raise SaysoError("a prompt is exchanges with answers, and at the end one without")
        if self.template is not None and self.template not in TEMPLATES:
            raise SaysoError(f"there is no template {self.template!r}; there are {', '.join(TEMPLATES)}")

    @classmethod
    def ask(
        cls,
        text: str,
        pictures: Sequence[Image | Pixels] = (),
        *,
        shots: Sequence[Exchange] = (),
        template: TemplateName | None = None,
    ) -> Prompt:
        """Return a question, perhaps with examples before it.

        Args:
            text: the question; empty: a caption is asked for.
            pictures: what it is about, each a picture or (H, W, 3) uint8, as ``Exchange`` takes them.
            shots: exchanges with their answers.
            template: see ``Prompt``.

        Raises:
            SaysoError: as for ``Exchange`` and ``Prompt``.
        """
        return cls((*shots, Exchange(text, tuple(pictures))), template)

    def then(self, answer: str, text: str, pictures: Sequence[Image | Pixels] = ()) -> Prompt:
        """Return the dialogue after an answer and another question.

        Args:
            answer: to this prompt.
            text: the next question.
            pictures: that come with it, each a picture or (H, W, 3) uint8.

        Raises:
            SaysoError: as for ``Exchange``.
        """
        *before, last = self.exchanges
        done = replace(last, answer=answer)
        return Prompt((*before, done, Exchange(text, tuple(pictures))), self.template)

    @property
    def pictures(self) -> tuple[Pixels, ...]:
        """All pictures and clips, in the order of their markers."""
        return tuple(picture for exchange in self.exchanges for picture in exchange.pictures)  # type: ignore[misc]

    @property
    def kind(self) -> TemplateName:
        """The name of its template."""
        return self.template or template_of(self.exchanges[-1].text)


def template_of(text: str) -> TemplateName:
    """Return the template of what is asked, where none is named: a caption if nothing is."""
    return "vqa" if text.replace(IMAGE, "").strip() else "caption"


def spell(prompt: Prompt, lead: str = "") -> str:
    """Return a prompt as Flamingo reads it: ``<image>Output:a cat<|endofchunk|>`` ``<image>Output:``.

    Args:
        prompt: with a marker for each of its pictures in the result, in their order.
        lead: what stands before each answer; nothing as published, a blank for models that learnt so.
    """
    template = TEMPLATES[prompt.kind]
    spelled = []
    for exchange in prompt.exchanges:
        spelled.append(spell_question(exchange.marked, prompt.kind))
        if exchange.answer is not None:
            spelled.append(spell_answer(exchange.answer, lead) + template.between)
    return "".join(spelled)


def spell_question(marked: str, template: TemplateName) -> str:
    """Return what stands before an answer: ``<image>Question:how many? Short answer:``.

    Args:
        marked: the text, with a marker for each picture.
        template: its name.
    """
    marks, marker, text = marked.rpartition(IMAGE)
    return marks + marker + TEMPLATES[template].before.replace("{}", text)


def spell_answer(answer: str, lead: str = LEAD) -> str:
    """Return an answer as the model reads it and is to write it, with the mark of its end.

    Args:
        answer: the words.
        lead: what stands before them.
    """
    return f"{lead}{answer}{END}"


def as_messages(prompt: Prompt) -> list[dict[str, Any]]:
    """Return a prompt as chat templates of the transformers library take it; a clip is its frames."""
    messages: list[dict[str, Any]] = []
    for exchange in prompt.exchanges:
        pictures = iter(exchange.pictures)
        content: list[dict[str, Any]] = []
        first, *rest = exchange.marked.split(IMAGE)
        content += _text(first)
        for text in rest:
            content += [{"type": "image"}] * len(frames_of(next(pictures)))
            content += _text(text)
        content += _text(_request(prompt))
        messages.append({"role": "user", "content": content})
        if exchange.answer is not None:
            messages.append({"role": "assistant", "content": _text(exchange.answer)})
    return messages


def frames_of(picture: Image | Pixels) -> list[Pixels]:
    """Return the frames of a clip, or a picture alone, each (H, W, 3) uint8."""
    pixels = _as_pixels(picture)
    return list(pixels) if pixels.ndim == 4 else [pixels]


def _request(prompt: Prompt) -> str:
    """Return what a model that follows instructions is asked besides the text."""
    if prompt.template == "vqa":
        return BRIEFLY
    return CAPTION_REQUEST if prompt.kind == "caption" else ""


def _text(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text.strip()}] if text.strip() else []


def _as_pixels(picture: Image | Pixels) -> Pixels:
    """Return a picture as (H, W, 3), a clip as (T, H, W, 3)."""
    if isinstance(picture, np.ndarray) and picture.ndim == 4:
        if not len(picture):
            raise SaysoError("a clip must have one frame at least")
        return np.stack([as_rgb(frame) for frame in picture])
    return as_rgb(picture)
