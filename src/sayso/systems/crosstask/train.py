"""The system ``crosstask`` as ``sayso train`` has it: what it reads, and which method it trains."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.core.counted import counted
from sayso.core.errors import SaysoError
from sayso.systems.crosstask.method import CrossTask, Recipe
from sayso.systems.crosstask.published import PublishedCrossTask
from sayso.systems.crosstask.videos import StepVideos, read_step_videos

if TYPE_CHECKING:
    from sayso.core.progress import Progress

log = logging.getLogger(__name__)


class _System:
    name = "crosstask"
    description = "Classifiers of the steps of named tasks, from narration and the order of the steps."
    recipe = Recipe
    evaluator = None

    def read(self, path: Path, recipe: Recipe, progress: Progress) -> StepVideos:  # noqa: ARG002
        """Return the training videos of a release.

        Raises:
            SaysoError: if no features are named, or nothing can be read.
        """
        if not recipe.features:
            raise SaysoError(
                "training crosstask needs the features of its videos: --set features=FOLDER, <video id>.npy"
            )
        windows = Path(recipe.windows) if recipe.windows else path / "constraints"
        videos = read_step_videos(
            path,
            Path(recipe.features),
            windows=windows if recipe.windows or windows.is_dir() else None,
            related=recipe.related,
            annotated=recipe.learn == "annotations",
            before_s=recipe.before_s,
            after_s=recipe.after_s,
            draw=recipe.draw,
        )
        mentioned = sum(bool(one.any()) for one in videos.allowed)
        log.info(
            "%s of %s, %s with steps that are mentioned, %s missing",
            counted(len(videos), "video"),
            counted(len(videos.tasks), "task"),
            f"{mentioned:,}",
            f"{len(videos.missing):,}",
        )
        return videos

    def build(
        self,
        recipe: Recipe,
        data: StepVideos,
        folder: Path,  # noqa: ARG002
        progress: Progress,  # noqa: ARG002
    ) -> CrossTask:
        """Return the method for videos of tasks."""
        if recipe.rule == "published":
            return PublishedCrossTask(recipe, data)
        return CrossTask(recipe, data)


SYSTEM = _System()
