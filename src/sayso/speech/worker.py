"""A process that listens: ``python -m sayso.speech.worker``, a task a line on stdin, answers on stdout.

It is a program of its own, not a fork, so that it works whatever started it; a crash in a decoder ends one
file, not the run; and where the run is killed it stops by itself, in the middle of a file.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from sayso.core.errors import SaysoError
from sayso.speech.recognizer import Recognizer
from sayso.speech.speech_model import SpeechModel


def work(tasks: IO[bytes], answers: IO[bytes]) -> None:
    """Listen to the files that are named, until there are no more.

    Args:
        tasks: JSON lines: first the model, the language and the device, then a path each.
        answers: JSON lines: ``at`` a second of a file, ``heard``, or ``failed``.
    """
    parent = os.getppid()

    def answer(**fields: Any) -> None:
        answers.write(json.dumps(fields).encode() + b"\n")
        answers.flush()

    def reached(second: float) -> None:
        if os.getppid() != parent:
            sys.exit(0)  # nobody waits for the words any more
        answer(at=second)

    begin = json.loads(tasks.readline())
    model = SpeechModel(begin["name"], Path(begin["folder"]), begin["sha256"])
    recognizer = Recognizer(model, begin["language"], begin["device"])
    answer(ready=True)
    for line in tasks:
        try:
            answer(heard=asdict(recognizer.listen(json.loads(line), reached)))
        except SaysoError as error:
            answer(failed=str(error), kind=type(error).__name__)
        except MemoryError:
            answer(failed="there is not enough memory to hear it", kind="MemoryError")
        except (RuntimeError, ValueError, IndexError, OSError) as error:
            answer(failed=f"the recogniser failed ({type(error).__name__}: {error})", kind="RuntimeError")


def main() -> None:
    """Keep stdout for the answers, whatever a library prints; an interrupt is the run's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        work(sys.stdin.buffer, answers)
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main()
