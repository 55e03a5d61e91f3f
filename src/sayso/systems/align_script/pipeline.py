"""From files to a result: read a script and subtitles, align them, and write what other programs read."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from sayso.alignment import AlignedScript, action_matcher, align_files
from sayso.core.io import prefixed, write_atomic
from sayso.core.ownership import refuse_foreign
from sayso.data.manifest import Failure

FEW = 0.1  # of the speeches placed, and the two are hardly of one film
SUSPICION = "; the script and the subtitles share few words: are they of the same film?"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignOptions:
    """What can be chosen when a script is aligned.

    Args:
        reference: captions with the film's own times; they correct the subtitles' frame rate and offset.
        actions: action classes to recognise in descriptions: names separated by commas, a JSON file of
            regular expressions, or a CSV of labelled descriptions (``action_matcher``).
        video: the film; the result then has a manifest of moments, and its length is compared.
    """

    reference: str | os.PathLike[str] | None = None
    actions: str | None = None
    video: str | os.PathLike[str] | None = None


@dataclass(frozen=True, eq=False)
class AlignResult:
    """A script with times and subtitles with speakers.

    Attributes:
        aligned: the script's elements and the subtitles' lines.
        rows: one for each element but transitions, ready for JSON: ``kind``, ``speaker``, ``text``,
            ``start_s``, ``end_s``, ``score``, and ``actions`` where they were asked for.
        failures: captions that could not be read.
        video: the film, where it was given.
    """

    aligned: AlignedScript
    rows: tuple[dict[str, object], ...]
    failures: tuple[Failure, ...] = ()
    video: Path | None = None

    def to_dict(self) -> dict[str, object]:
        """Return everything, ready for JSON."""
        return {
            "elements": list(self.rows),
            "lines": [line.to_dict() for line in self.aligned.lines if line.text],
            "failures": [failure.to_dict() for failure in self.failures],
        }

    @staticmethod
    def output_paths(out: str | os.PathLike[str], *, video: bool = False) -> list[Path]:
        """Return what ``write`` writes, in its order."""
        endings = ("srt", "vtt", "csv", "jsonl", "html", *(["moments.jsonl"] if video else []))
        return [prefixed(out, ending) for ending in endings]

    def write(self, out: str | os.PathLike[str]) -> list[Path]:
        """Write OUT.srt, .vtt, .csv, .jsonl, .html, and with a video OUT.moments.jsonl; return the paths.

        Raises:
            SaysoError: if one cannot be written.
        """
        from sayso.export import descriptions_csv, moments_manifest, script_page, speaker_srt
        from sayso.export.pages import path_from
        from sayso.text import write_vtt

        prefix, captions = Path(out), self.aligned.captions()
        elements = (e.to_dict() if e.element.kind != "transition" else None for e in self.aligned.elements)
        lines = [line.to_dict() for line in self.aligned.lines if line.text]
        film = None if self.video is None else path_from(prefix.parent, self.video)
        files: dict[str, str] = {
            "srt": speaker_srt(captions),
            "vtt": write_vtt(captions),
            "csv": descriptions_csv(self.rows),
            "jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows),
            "html": script_page(prefix.name, list(elements), lines, film),
        }
        if self.video is not None:
            files["moments.jsonl"] = moments_manifest(str(self.video.absolute()), self.rows)
        paths = dict(zip(self.output_paths(out, video=self.video is not None), files.values(), strict=True))
        refuse_foreign(*paths)
        for path, text in paths.items():
            write_atomic(path, text)
        return list(paths)

    def table(self) -> list[str]:
        """Return one line an element for people: time, confidence, speaker, text."""
        from sayso.export.timestamps import timestamp

        lines = []
        for item in self.aligned.elements:
            if item.element.kind == "transition":
                continue
            time = f"{timestamp(item.span.start)}-{timestamp(item.span.end)}" if item.span else "?"
            speaker = f"{item.element.speaker}: " if item.element.speaker else ""
            mark = {"heading": "# ", "dialogue": ""}.get(item.element.kind, "  ")
            lines.append(f"{time:>19}  {item.confidence:4.2f}  {mark}{speaker}{item.element.text}")
        return lines

    def summary(self) -> str:
        """Return one sentence: how many speeches were placed, and how many lines were improvised."""
        found = self.aligned
        speeches = sum(1 for item in found.elements if item.element.kind == "dialogue")
        return (
            f"{speeches - len(found.unplaced)} of {speeches} speeches placed, "
            f"{len(found.moved)} of them in another order; "
            f"{len(found.improvised)} of {len(found.lines)} subtitle lines are not in the script"
            + (SUSPICION if found.matched < FEW else "")
        )


def run(
    script: str | os.PathLike[str],
    subtitles: str | os.PathLike[str],
    options: AlignOptions | None = None,
) -> AlignResult:
    """Give a script its times and subtitles their speakers.

    Args:
        script: screenplay or transcript: text, Fountain, HTML, PDF.
        subtitles: of the same film: SRT, WebVTT, ASS and other formats.
        options: what can be chosen.

    Returns:
        The elements with times, the lines with speakers, and the captions that could not be read.

    Raises:
        SaysoError: if a file cannot be read, or there is no caption in the subtitles.
    """
    how = options or AlignOptions()
    aligned, failures = align_files(script, subtitles, reference=how.reference, video=how.video)
    rows = _with_actions(list(aligned.rows()), how.actions)
    return AlignResult(aligned, tuple(rows), tuple(failures), None if how.video is None else Path(how.video))


def _with_actions(rows: list[dict[str, object]], actions: str | None) -> list[dict[str, object]]:
    """Give each description ``actions``: the classes that it mentions, each with its score."""
    if actions is None:
        return rows
    described = [row for row in rows if row["kind"] == "description"]
    matches = action_matcher(actions).match([str(row["text"]) for row in described])
    for row, found in zip(described, matches, strict=True):
        row["actions"] = [{"name": name, "score": round(score, 3)} for name, score in found.items()]
    return rows
