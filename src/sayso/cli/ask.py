"""``sayso ask``: ask a visual language model about pictures and moments."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Argument, Option

from sayso.cli.options import Device, Json
from sayso.cli.output import answer_lines, print_json, print_lines, print_piece
from sayso.core.errors import SaysoError

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
    from sayso.asking import ask as ask_model
    from sayso.asking import best_moments, find_examples, split_question
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
    listed = [choice.strip() for choice in choices.split(",")] if choices else []
    for text in _questions(question):
        about = shown or (best_moments(collection, text, moments) if collection else [])
        answer = ask_model(
            text,
            about,
            model=generator,
            shots=find_examples(shots, text, about, None if shots != AUTO else collection),
            choices=listed,
            decoding=decoding,
            on_piece=None if as_json else print_piece,
        )
        if as_json:
            print_json(answer.to_dict())
        else:
            print_lines(answer_lines(answer, with_places=not shown))
        sys.stdout.flush()
    return None


def _questions(question: str | None) -> list[str] | filter[str]:
    if question is not None and question != STDIN:
        return [question]
    return filter(None, map(str.strip, sys.stdin))
