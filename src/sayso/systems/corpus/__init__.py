"""A corpus of narrated videos from a list of task titles, stage by stage.

    tasks.py    which titles are about something that can be seen

Source
    Miech et al., ICCV 2019, section 3: 120,000 titles of WikiHow, 23,611 tasks that can be seen.
    https://arxiv.org/abs/1906.03327
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.systems.corpus.tasks import Task, read_corrections, read_titles, score_tasks, write_tasks
else:
    __getattr__ = exports(
        __name__,
        {
            "Task": "sayso.systems.corpus.tasks",
            "read_corrections": "sayso.systems.corpus.tasks",
            "read_titles": "sayso.systems.corpus.tasks",
            "score_tasks": "sayso.systems.corpus.tasks",
            "write_tasks": "sayso.systems.corpus.tasks",
        },
    )

__all__ = ["Task", "read_corrections", "read_titles", "score_tasks", "write_tasks"]
