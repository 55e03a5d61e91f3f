"""Transcribing a library in one call: what ``sayso transcribe`` and ``sayso index --listen`` call too.

What is said goes beside each file as soon as the file is done, so whatever stops a run, the same call goes on
after the last file that was finished. Captions that a person made are never listened for again, and never
written over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from sayso.core.device import cores
from sayso.core.errors import MediaError, SaysoError
from sayso.core.ownership import writing_as
from sayso.core.progress import Progress, Silent
from sayso.data.manifest import Failure, ListedFile
from sayso.data.sources import list_sources
from sayso.media.kinds import kind_of
from sayso.media.sound import NoSound, probe_sound
from sayso.speech.beside import Beside
from sayso.speech.listeners import Listeners, Reached
from sayso.speech.sound_shards import VERB, BeginListening, FileHeard, cut_shards, write_heard
from sayso.speech.speech_model import SpeechModel, find_speech_model
from sayso.text.language.languages import language_of


@dataclass(slots=True)
class TranscribeReport:
    """What transcribing did; counts are files, except ``seconds``.

    Attributes:
        files: videos and files of sound that were found.
        written: captions that are new.
        kept: that were listened to before.
        captioned: that have captions of people, or of another program.
        without_sound: that can be read, and hold no sound.
        without_speech: in which nobody speaks.
        seconds: of sound that were listened to.
        failures: what could not be read or written.
    """

    files: int = 0
    written: list[str] = field(default_factory=list)
    kept: int = 0
    captioned: int = 0
    without_sound: int = 0
    without_speech: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether there is a file of which all is known that was asked for."""
        return bool(self.written or self.kept or self.captioned or self.without_sound or self.without_speech)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, the files written and the failures, ready for JSON."""
        names = ("files", "written", "kept", "captioned", "without_sound", "without_speech")
        counts = {name: getattr(self, name) for name in names}
        failures = [failure.to_dict() for failure in self.failures]
        return {**counts, "seconds": round(self.seconds, 3), "failures": failures}


def transcribe(
    paths: Sequence[str | os.PathLike[str]],
    *,
    model: str = "auto",
    language: str | None = None,
    processes: int | None = None,
    device: str = "auto",
    again: bool = False,
    engine: Literal["here", "ray"] = "here",
    cluster: str | None = None,
    progress: Progress | None = None,
) -> TranscribeReport:
    """Write captions beside videos and files of sound that have none.

    Repeated or interrupted, it listens only to what is missing, and to files that changed.

    Args:
        paths: files, folders, manifests.
        model: ``auto``, a size such as ``small``, a hub id, or a folder of a Whisper model in
            CTranslate2's format.
        language: an ISO 639 code of what is spoken; None to detect it in each file.
        processes: how many files are heard at the same time; by default one a core.
        device: where the model runs: auto, cpu or cuda.
        again: listen anew also where an earlier run wrote captions.
        engine: where files are heard: ``here``, or on a ``ray`` cluster, whose machines must see them; there
            ``processes`` is for the whole cluster.
        cluster: address of the Ray cluster; None: one of this machine's cores.
        progress: what to report to, in seconds of sound.

    Raises:
        SaysoError: if there is no such model or language.
        Unavailable: if the model or faster-whisper is not at hand.
    """
    spoken = _spoken(language)
    listing = list_sources([os.fspath(path) for path in paths]).with_sound(lambda _: True)
    report = TranscribeReport(failures=list(listing.failures))
    with writing_as(VERB):
        waiting = dict(_waiting(listing.files, report, again=again))
        if not waiting:
            return report
        place = _device(device)
        run = _Run(find_speech_model(model), waiting, report, progress or Silent())
        if engine == "ray":
            run.listen_on_cluster(spoken, place, cluster, processes, again=again)
        else:
            run.listen(spoken, processes or (cores() if place == "cpu" else 1), place)
    return report


@dataclass(eq=False)
class _Run:
    """One run over files that wait to be heard.

    Args:
        model: which.
        waiting: the files, and how many seconds each lasts, as far as known.
        report: what is done.
        progress: what to report to.
    """

    model: SpeechModel
    waiting: dict[str, float]
    report: TranscribeReport
    progress: Progress
    _done_s: float = 0.0
    _at: dict[str, float] = field(default_factory=dict)

    def listen(self, language: str | None, processes: int, device: str) -> None:
        """Listen to all, and write each file's words as soon as it is done."""
        self._advance("loading the model")
        with Listeners(self.model, min(processes, len(self.waiting)), language, device) as listeners:
            for said in listeners.listen(self.waiting):
                if isinstance(said, Reached):
                    self._at[said.path] = min(said.second, self.waiting[said.path] or said.second)
                    self._advance(Path(said.path).name)
                else:
                    self._record(said.path, write_heard(said, self.model))

    def listen_on_cluster(
        self, language: str | None, device: str, cluster: str | None, actors: int | None, *, again: bool
    ) -> None:
        """Let a Ray cluster listen to all; its workers write beside the files.

        Args:
            language: of what is said; None to detect it.
            device: cpu or cuda.
            cluster: its address; None: one of this machine's cores.
            actors: how many files are heard at the same time; None: one a core.
            again: listen also to files that are done.
        """
        from sayso.engine.ray_extract import run_on_ray

        self._advance("reaching the cluster")
        model = replace(self.model, folder=self.model.folder.absolute())
        shards = cut_shards(self.waiting, again=again)
        begin = BeginListening(model, language, device)
        for done in run_on_ray(shards, begin, address=cluster, actors=actors):
            failed = [FileHeard(path, stage="listen", error=done.error or "") for path in done.work.files]
            for heard in done.result or failed:
                self._record(heard.path, heard)

    def _record(self, path: str, heard: FileHeard) -> None:
        """Note in the report what became of a file."""
        self._at.pop(path, None)
        self._done_s += self.waiting[path]
        self.report.seconds += heard.seconds
        if heard.error:
            self.report.failures.append(Failure(path, heard.stage, heard.error))
        elif heard.captions is None:
            self.report.without_speech += 1
        else:
            self.report.written.append(str(Path(path).with_name(heard.captions.name)))
        self._advance(Path(path).name)

    def _advance(self, note: str) -> None:
        total = sum(self.waiting.values())
        self.progress.update(min(self._done_s + sum(self._at.values()), total), total or None, note)


def _waiting(
    sources: Sequence[ListedFile], report: TranscribeReport, *, again: bool
) -> Iterator[tuple[str, float]]:
    """Yield the files to listen to and how many seconds each lasts; count the others in the report.

    A file that is named twice, through a link to its folder, counts once: its captions have one place.
    """
    places: set[Path] = set()
    for source in sources:
        path = Path(source.path)
        place = Path(os.path.realpath(path.parent), path.name)
        if kind_of(path) == "picture" or place in places:
            continue
        places.add(place)
        report.files += 1
        try:
            beside = Beside(path)
            facts = probe_sound(path)
            if _has_words(source) or beside.has_captions_of_people():
                report.captioned += 1
            elif not again and beside.is_done():
                report.kept += 1
            else:
                beside.check_free()
                yield source.path, facts.seconds or 0.0
        except NoSound:
            report.without_sound += 1
        except MediaError as error:
            report.failures.append(Failure(source.path, "read", str(error)))
        except (SaysoError, OSError) as error:
            report.failures.append(Failure(source.path, "write", str(error)))


def _has_words(source: ListedFile) -> bool:
    """Tell whether a manifest says what is said in a file."""
    return source.captions is not None or any(row.text for row in source.rows)


def _spoken(language: str | None) -> str | None:
    if language is None:
        return None
    known = language_of(language)
    if known is None:
        raise SaysoError(f"{language!r} is no language; use an ISO 639 code such as en, eng or pt")
    return known[0]


def _device(device: str) -> str:
    """Return where speech is recognised: on a CUDA device if there is one, else on the CPU."""
    from sayso.core.lazy import need
    from sayso.speech.speech_model import EXTRA

    cuda = need("ctranslate2", EXTRA).get_cuda_device_count() > 0
    if device == "auto":
        return "cuda" if cuda else "cpu"
    if device.partition(":")[0] not in ("cpu", "cuda") or (device.startswith("cuda") and not cuda):
        raise SaysoError(f"speech is not recognised on {device!r} here; give --device cpu")
    return device.partition(":")[0]
