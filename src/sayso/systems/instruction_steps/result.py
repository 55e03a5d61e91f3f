"""The steps of a task and where they are in each video: plain rows, and files that other programs read."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sayso.core.errors import MediaError
from sayso.core.io import write_atomic
from sayso.core.ownership import record_own, remove_own, writing_as
from sayso.data.manifest import Failure
from sayso.hub.model_folder import own_kind
from sayso.systems.instruction_steps.discover import NarratedVideo, StepLocation, StepModel
from sayso.systems.instruction_steps.script import ScriptStep

PICTURE = 208  # pixels of a thumbnail's longer side
_JUST_S = 0.05  # seconds around a moment of which a picture is taken
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class StepsResult:
    """The steps of a task, and where they are in each video.

    Attributes:
        title: of the task.
        steps: C rows, ready for JSON: ``name``, ``phrases`` (all its names), ``videos`` (how many mention
            it), ``example`` (a sentence, or None).
        videos: one row a video: ``name``, ``path``, ``duration_s``, ``steps`` (see ``StepLocation``).
        model: what finds the steps in other videos.
        failures: what could not be read.
        discovered: whether the steps were discovered in these videos, not an earlier model applied.
    """

    title: str
    steps: tuple[Row, ...]
    videos: tuple[Row, ...]
    model: StepModel
    failures: tuple[Failure, ...] = ()
    discovered: bool = True

    def to_dict(self) -> dict[str, object]:
        """Return everything but the model, ready for JSON."""
        failures = [failure.to_dict() for failure in self.failures]
        return {
            "title": self.title,
            "steps": list(self.steps),
            "videos": list(self.videos),
            "failures": failures,
        }

    def write(self, out: str | os.PathLike[str]) -> list[Path]:
        """Write a folder: index.html, chapters/, and steps.json with model/, or found.json.

        Returns:
            The path of the page first, then all others.

        Raises:
            SaysoError: if a file cannot be written.
        """
        with writing_as("steps"):
            return self._written(Path(out))

    def _written(self, folder: Path) -> list[Path]:
        if self.discovered:
            if own_kind(folder / "model") == self.model.kind:
                remove_own(folder / "model")  # of an earlier run
            self.model.save_pretrained(folder / "model")
            record_own(folder / "model")
        record = folder / ("steps.json" if self.discovered else "found.json")
        write_atomic(record, json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n")
        files = {folder / "index.html": self._page(folder), **self._chapters(folder / "chapters")}
        for path, text in files.items():
            write_atomic(path, text)
        return [*files, record]

    def table(self) -> list[str]:
        """Return one line a step for people: number, name, and how many narrations mention it.

        Of a model applied it is when each step is in which video; steps held to be absent are left out.
        """
        from sayso.export.timestamps import timestamp

        if not self.discovered:
            return [
                f"{step['step'] + 1:3}  {timestamp(step['start_s']):>7}-{timestamp(step['end_s'])}"
                f"  {step['name']}  {video['path']}"
                for video in self.videos
                for step in sorted(video["steps"], key=lambda step: step["start_s"])
                if step["present"]
            ]
        count = len(self.videos)
        mentioned = (f"  mentioned in {s['videos']} of {count}" if s["videos"] else "" for s in self.steps)
        rows = zip(self.steps, mentioned, strict=True)
        return [f"{number:3}  {step['name']}{text}" for number, (step, text) in enumerate(rows, 1)]

    def _chapters(self, folder: Path) -> dict[Path, str]:
        from sayso.export import steps_vtt, youtube_chapters

        files = {}
        for row in self.videos:
            files[folder / f"{row['name']}.vtt"] = steps_vtt(row["steps"], row["duration_s"])
            files[folder / f"{row['name']}.txt"] = youtube_chapters(row["steps"], row["duration_s"])
        return files

    def _page(self, folder: Path) -> str:
        from sayso.export import steps_page
        from sayso.export.pages import path_from

        pictures = {
            (n, row["step"]): jpeg
            for n, video in enumerate(self.videos)
            for row in video["steps"]
            if (jpeg := _picture(video["path"], row["time_s"])) is not None
        }
        links = [path_from(folder, video["path"]) for video in self.videos]
        return steps_page(self.title, self.steps, self.videos, pictures, links)


def described_steps(script: Sequence[ScriptStep]) -> tuple[Row, ...]:
    """Return the steps of a script as rows (``StepsResult.steps``)."""
    return tuple(
        {
            "name": step.name,
            "phrases": [phrase for phrase, _ in step.phrases],
            "videos": len(step.mentions),
            "example": _example(step),
        }
        for step in script
    )


def located_video(
    path: str, video: NarratedVideo, locations: Sequence[StepLocation], model: StepModel
) -> Row:
    """Return a video and where its steps are as a row (``StepsResult.videos``).

    Args:
        path: of the video.
        video: with its features, (T, D).
        locations: of its steps.
        model: has the steps' names.
    """
    duration_s = round(len(video.features) / model.recipe.rate, 3)
    steps = [{"name": model.names[there.step], **there.to_dict()} for there in locations]
    return {"name": video.name, "path": path, "duration_s": duration_s, "steps": steps}


def _example(step: ScriptStep) -> str:
    """Return a short sentence that mentions a step by its name, but not the shortest of many."""
    sentences = [m.text for m in step.mentions.values() if m.phrase == step.name]
    return str(sorted(sentences, key=len)[len(sentences) // 4])


def _picture(path: str, time_s: float) -> bytes | None:
    """Return a small JPEG of a moment; None where the file cannot be read there."""
    from sayso.media import read_clip, thumbnail

    try:
        start, end = max(0.0, time_s - _JUST_S), time_s + _JUST_S
        frames = read_clip(path, start, end, frames=1, size=PICTURE).frames
        return thumbnail(frames[0], PICTURE) if len(frames) else None
    except (MediaError, OSError):
        return None
