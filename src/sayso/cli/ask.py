"""``sayso ask``: ask a visual language model about pictures and moments."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from typer import Argument, Option

from sayso.cli.options import Device, Json
from sayso.cli.output import print_json
from sayso.core.errors import SaysoError

if TYPE_CHECKING:
    from sayso.asking import Answer
    from sayso.generators import Decoding, Exchange, Generator, Prompt
    from sayso.generators.shown import Shown
    from sayso.index import Index

WHAT = "Pictures, videos, moments such as talk.mp4@12.5-18; then the question, or - for one a line on stdin."
Model = Annotated[
    str,
    Option("--model", "-m", help="A visual language model: a hub id, a folder, 'auto'. See: sayso models."),
]
AUTO, STDIN = "auto", "-"


def ask(
    what: Annotated[list[str], Argument(metavar="FILE... [QUESTION]", help=WHAT, show_default=False)],
    index: Annotated[
        str | None,
        Option("--index", "-i", help="Ask about the moments of an index that fit the question best."),
    ] = None,
    moments: Annotated[int, Option("--moments", min=1, help="How many moments of the index.")] = 3,
    choices: Annotated[
        str | None, Option("--choices", help="The answer is one of these, with probabilities: yes,no.")
    ] = None,
    shots: Annotated[
        str | None,
        Option("--shots", help="Examples, as JSON lines of path and answer; auto: the index's most similar."),
    ] = None,
    max_tokens: Annotated[int, Option("--max-tokens", min=1, help="Length of an answer, at most.")] = 100,
    model: Model = AUTO,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Ask about pictures and moments; without a question, in a dialogue.

    In a dialogue, /add FILE shows another picture, /new begins anew, /save FILE keeps what was said, /help
    lists all.

    Examples:

      sayso ask beach.jpg "What is this?"

      sayso ask talk.mp4@12.5-18 "What does she hold?" --choices "a glass,a book"

      sayso ask --index my.index "Where was the dog last summer?"

      sayso ask new.jpg "Which plant is this?" --shots plants.jsonl
    """
    from sayso.asking import best_moments
    from sayso.cli.dialogue import hold_dialogue
    from sayso.generators import Decoding, load_generator
    from sayso.index import Index

    shown, question = split_question(what, searched=index is not None)
    decoding = Decoding(max_new_tokens=max_tokens)
    collection = None if index is None else Index.open(index, create=False, device=device)
    if shots == AUTO and collection is None:
        raise SaysoError("--shots auto takes the examples from an index; name it with --index")
    generator = load_generator(model, device=device)
    if question is None and sys.stdin.isatty() and not as_json:
        return hold_dialogue(generator, shown, decoding)
    for text in _questions(question):
        about = shown or (best_moments(collection, text, moments) if collection else [])
        examples = _examples(shots, collection, about, text)
        answer = _answer(generator, text, about, examples, choices, decoding, quiet=as_json)
        if as_json:
            print_json(answer.to_dict())
        elif collection and not shown:
            print("\n".join(f"  {_place(one)}" for one in about))
        sys.stdout.flush()
    return None


def split_question(what: list[str], *, searched: bool) -> tuple[list[Shown], str | None]:
    """Return what is shown, and the question, which is what is no file.

    Args:
        what: the arguments.
        searched: whether there is an index to search, so that nothing need be shown.

    Raises:
        SaysoError: if a file is not there, or nothing is asked about.
    """
    from sayso.generators.shown import Shown

    *files, last = what
    try:
        shown, question = [Shown.parse(text) for text in what], None
    except SaysoError:
        if looks_like_file(last):
            raise
        shown, question = [Shown.parse(text) for text in files], last
    if not shown and not searched:
        raise SaysoError(f"there is no file {last}; name a picture first: sayso ask beach.jpg {last!r}")
    return shown, question


def looks_like_file(text: str) -> bool:
    """Tell whether somebody meant a file: one word with an ending or a folder in it, and no question."""
    return " " not in text.strip() and not text.endswith("?") and bool(Path(text).suffix or "/" in text)


def _questions(question: str | None) -> list[str] | filter[str]:
    if question is not None and question != STDIN:
        return [question]
    return filter(None, map(str.strip, sys.stdin))


def _examples(shots: str | None, index: Index | None, about: list[Shown], question: str) -> list[Exchange]:
    from sayso.asking import nearest_shots
    from sayso.generators.shots import read_shots

    if shots == AUTO and index is not None:
        return nearest_shots(index, about[0], question)
    return read_shots(shots, question) if shots else []


def _answer(
    model: Generator,
    question: str,
    about: list[Shown],
    examples: list[Exchange],
    choices: str | None,
    decoding: Decoding,
    *,
    quiet: bool,
) -> Answer:
    """Answer a question, and print the words as they are made.

    Args:
        model: what answers.
        question: what is asked.
        about: what is shown.
        examples: before it.
        choices: separated by commas.
        decoding: how words are chosen.
        quiet: print nothing.
    """
    from sayso.asking import answer_prompt, describe_answer
    from sayso.generators import Prompt
    from sayso.generators.shown import read_all

    prompt = Prompt.ask(question, read_all(about), shots=examples)
    if choices:
        listed = [choice.strip() for choice in choices.split(",")]
        answer = answer_prompt(model, prompt, about, choices=listed, decoding=decoding)
        if not quiet:
            ranked = sorted((answer.probabilities or {}).items(), key=lambda row: -row[1])
            print("\n".join(f"{probability:6.3f}  {choice}" for choice, probability in ranked))
        return answer
    if quiet:
        return answer_prompt(model, prompt, about, decoding=decoding)
    return describe_answer(model, prompt, about, print_stream(model, prompt, decoding))


def print_stream(model: Generator, prompt: Prompt, decoding: Decoding) -> str:
    """Print an answer as it is made, and return it.

    Args:
        model: what answers.
        prompt: what is asked.
        decoding: how words are chosen.
    """
    pieces = []
    with closing(cast("Any", model.stream(prompt, decoding))) as stream:
        for piece in stream:
            print(piece, end="", flush=True)
            pieces.append(piece)
    print()
    return "".join(pieces).strip()


def _place(shown: Shown) -> str:
    from sayso.cli.output import clock_time

    if shown.start_s is None or shown.end_s is None:
        return str(shown.path)
    return f"{shown.path}  {clock_time(shown.start_s)}-{clock_time(shown.end_s)}"
