"""Which how-to titles are about something that can be seen: the first stage of a corpus of narrated videos.

    python examples/corpus.py FOLDER

FOLDER gets ``tasks.csv``; write titles of your own, one a line, to ``FOLDER/titles.txt`` to try them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sayso.systems.corpus import read_titles, score_tasks, write_tasks

TITLES = ["HowtoGetKoolAidoutofHair1", "How to Fold a Paper Crane", "Change a Flat Tire", "Be Happy"]


def main() -> None:
    """Print the tasks, the likeliest to be seen first."""
    folder = Path(sys.argv[1])
    own = folder / "titles.txt"
    tasks = score_tasks(read_titles(own) if own.is_file() else TITLES)
    write_tasks(folder / "tasks.csv", tasks)
    for task in sorted(tasks, key=lambda task: -task.score):
        print(f"{task.score:.2f}  {'seen' if task.visual else '    '}  {task.title:30} {task.reason}")


if __name__ == "__main__":
    main()
