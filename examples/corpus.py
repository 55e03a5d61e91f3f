"""Which how-to titles are about something that can be seen: the first stage of a corpus of narrated videos.

python examples/corpus.py [TITLES.txt]
"""

from __future__ import annotations

import sys
from pathlib import Path

from sayso.systems.corpus import read_titles, score_tasks

TITLES = [
    "HowtoGetKoolAidoutofHair1",
    "How to Fold a Paper Crane",
    "Change a Flat Tire",
    "Be Happy",
    "File Your Taxes",
]


def main() -> None:
    """Print the tasks, those that can be seen first."""
    titles = read_titles(Path(sys.argv[1])) if len(sys.argv) > 1 else TITLES
    for task in sorted(score_tasks(titles), key=lambda task: -task.score):
        print(f"{task.score:.2f}  {'seen' if task.visual else '    '}  {task.title:30} {task.reason}")


if __name__ == "__main__":
    main()
