"""``sayso corpus tasks``: which how-to titles are about something that can be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument

from sayso.cli.corpus.stage_options import Corrections, Threshold
from sayso.cli.options import Json, Overwrite, ProgressMode, out_option
from sayso.cli.output import print_json, print_lines
from sayso.core.counted import counted
from sayso.core.progress import reporter

TITLES = "Titles, one a line; or a CSV with the column title. WikiHow's run-together form is read too."


def tasks_(
    titles: Annotated[Path, Argument(help=TITLES, show_default=False)],
    out: Annotated[Path | None, out_option("FILE", "The CSV to write.", show_default="prints")] = None,
    threshold: Threshold = 0.5,
    corrections: Corrections = None,
    progress: ProgressMode = "auto",
    as_json: Json = False,
    overwrite: Overwrite = False,  # noqa: ARG001  handled by cli.verb
) -> None:
    """Say which how-to titles are about something that can be seen, how surely, and why.

    A task can be seen if its main verb is a physical action on something: cooking, repairing, exercising; not
    writing, feeling, buying, programming. OUT has the columns title, visual, score, reason, verb, object.

    Examples:

      sayso corpus tasks titles.txt --out tasks.csv

      sayso corpus tasks titles.txt --out tasks.csv --corrections corrected.csv --threshold 0.7
    """
    from sayso.systems.corpus import read_corrections, read_titles, score_tasks, write_tasks

    listed = read_titles(titles)
    said = read_corrections(corrections) if corrections else {}
    with reporter("reading titles", unit="titles", mode=progress) as bar:
        scored = score_tasks(listed, threshold=threshold, corrections=said, progress=bar)
    if out is not None:
        write_tasks(out, scored)
    if as_json:
        print_json(*(task.to_dict() for task in scored))
        return
    if out is None:
        print_lines(f"{task.score:.2f}  {'yes' if task.visual else 'no '}  {task.title}" for task in scored)
    visual = sum(task.visual for task in scored)
    print_lines([f"{visual:,} of {counted(len(scored), 'task')} can be seen", *([str(out)] if out else [])])
