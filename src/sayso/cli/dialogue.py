"""A dialogue with a visual language model in the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from sayso.asking import answer_prompt
from sayso.cli.output import print_lines, print_notes, print_piece
from sayso.core.errors import SaysoError
from sayso.core.io import write_atomic
from sayso.generators.base import Decoding, Generator
from sayso.generators.media_part import MediaPart, read_all
from sayso.generators.prompt import Prompt

HELP = """\
/add FILE    show a picture or a moment, such as talk.mp4@12.5-18, with the next question
/new         begin anew, with the same pictures
/save FILE   write what was said, as JSON lines
/help        this list
/quit        end (also Ctrl-D); Ctrl-C stops an answer"""


class Dialogue:
    """What was said so far, and what is shown with the next question.

    Args:
        model: what answers.
        shown: with the first question.
        decoding: how words are chosen.
    """

    def __init__(self, model: Generator, shown: Sequence[MediaPart], decoding: Decoding) -> None:
        self.model, self.decoding = model, decoding
        self.first, self.waiting = list(shown), list(shown)
        self.prompt: Prompt | None = None
        self.said: list[dict[str, object]] = []
        self.commands: dict[str, Callable[[str], None]] = {
            "/add": self.add,
            "/new": self.start,
            "/save": self.save,
            "/help": lambda _: print(HELP),
        }

    def take(self, line: str) -> bool:
        """Obey a command or answer a question; return whether the dialogue goes on.

        Raises:
            SaysoError: if that cannot be done; the dialogue may go on.
        """
        word, _, rest = line.strip().partition(" ")
        if word in ("/quit", "/exit"):
            return False
        if word in self.commands:
            self.commands[word](rest.strip())
        elif word.startswith("/"):
            raise SaysoError(f"there is no command {word}; /help lists them")
        elif line.strip():
            self.ask(line.strip())
        return True

    def add(self, text: str) -> None:
        """Show a file with the next question.

        Raises:
            SaysoError: if it is not there.
        """
        self.waiting.append(MediaPart.parse(text))

    def start(self, _: str = "") -> None:
        """Forget what was said."""
        self.prompt, self.waiting, self.said = None, list(self.first), []

    def save(self, text: str) -> None:
        """Write what was said, as JSON lines.

        Raises:
            SaysoError: if no file is named.
        """
        if not text:
            raise SaysoError("name a file: /save talk.jsonl")
        rows = (json.dumps(row, ensure_ascii=False) + "\n" for row in self.said)
        write_atomic(Path(text).expanduser(), "".join(rows))
        print_lines([f"{len(self.said)} answers are in {text}"])

    def ask(self, question: str) -> None:
        """Print the answer to a question; an interrupted or refused one is not part of the dialogue.

        Raises:
            SaysoError: if the model cannot take it.
        """
        pictures = read_all(self.waiting)
        if self.prompt is None:
            prompt = Prompt.ask(question, pictures)
        else:
            prompt = self.prompt.then(str(self.said[-1]["answer"]), question, pictures)
        answer = answer_prompt(self.model, prompt, self.waiting, decoding=self.decoding, on_piece=print_piece)
        print()
        self.said.append(answer.to_dict())
        self.prompt, self.waiting = prompt, []


def hold_dialogue(
    model: Generator, shown: Sequence[MediaPart], decoding: Decoding, lines: Iterable[str] | None = None
) -> None:
    """Answer question after question until there are no more.

    Args:
        model: what answers.
        shown: with the first question.
        decoding: how words are chosen.
        lines: what a person types; None: asked for in the terminal.
    """
    dialogue = Dialogue(model, shown, decoding)
    print(f"{model.name}, {model.made_by}; /help lists what else can be typed")
    for line in iter(_typed, None) if lines is None else lines:
        try:
            if not dialogue.take(line):
                return
        except SaysoError as error:
            print_notes(str(error))
        except KeyboardInterrupt:
            print("\n(stopped)")


def _typed() -> str | None:
    """Return a line that a person types, or None at the end."""
    with suppress(ImportError):
        import readline  # noqa: F401  line editing and history
    try:
        return input("> ")
    except EOFError:
        print()
        return None
    except KeyboardInterrupt:
        print()
        return ""
