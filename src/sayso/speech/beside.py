"""What listening leaves beside a file: captions, the words with their times; a note where nothing is said.

``talk.mp4`` gets ``talk.en.auto.vtt``, whose name says that a machine made it, and ``talk.words.json``; the
captions come last, so where they are, all is there. Where two files of a folder share a stem, the whole name
stands for it: ``talk.mov.en.auto.vtt``. A file in which nobody speaks gets neither, but a line in the
folder's hidden ``.sayso-listened``, so that nobody listens to it again.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sayso.core.io import sha256_of, write_atomic
from sayso.core.ownership import is_mine, refuse_foreign
from sayso.data.sources import WORDS_SUFFIX
from sayso.media.kinds import SOUND_SUFFIXES, VIDEO_SUFFIXES
from sayso.speech.recognizer import DROPPED, SETTINGS, Heard
from sayso.speech.speech_model import SpeechModel
from sayso.text.captions.heard_words import HeardWord, caption_words
from sayso.text.captions.sidecar import find_subtitles
from sayso.text.captions.write import write_vtt
from sayso.text.language.languages import named_language
from sayso.version import __version__

LEDGER = ".sayso-listened"
MARK = "auto"


@dataclass(frozen=True, slots=True)
class Beside:
    """The files beside one that was, or will be, listened to.

    Args:
        path: of the file.
    """

    path: Path

    @property
    def words(self) -> Path:
        """Where the words and their times are."""
        return self.path.with_name(self._stem() + WORDS_SUFFIX)

    def captions(self, language: str | None) -> Path:
        """Return where the captions are, if that is what is spoken."""
        known = f".{language}" if language and named_language(language) else ""
        return self.path.with_name(f"{self._stem()}{known}.{MARK}.vtt")

    def has_captions_of_people(self) -> bool:
        """Tell whether captions are there that this verb did not write, or that somebody edited."""
        found = find_subtitles(self.path)
        return found is not None and not is_mine(found)

    def is_done(self) -> bool:
        """Tell whether the file was listened to as it is now."""
        return self.written() is not None

    def written(self) -> tuple[float, Path | None] | None:
        """Return what an earlier run left of the file as it is now.

        Returns:
            The seconds that were listened to, and the captions, None where nobody speaks; None if it was not
            listened to.
        """
        found = find_subtitles(self.path)
        known = self._noted() if found is None else self._words_said() if is_mine(found) else None
        if known is None or not self._same(known):
            return None
        return float(known.get("heard_s", 0.0)), found

    def check_free(self) -> None:
        """Check that nothing foreign is where the words go; the captions' name is known later.

        Raises:
            SaysoError: if something is.
        """
        refuse_foreign(self.words)

    def write(self, heard: Heard, model: SpeechModel) -> bool:
        """Write what is said; False where nothing is.

        Raises:
            SaysoError: if it cannot be written, or something foreign is there.
        """
        known = {**self._status(), "content": sha256_of(self.path), **_made_by(heard, model)}
        stale = find_subtitles(self.path)
        if not heard.words:
            self._note(known)
            self._remove(stale, None)
            return False
        target = self.captions(heard.language)
        refuse_foreign(target)
        rows = [_word_row(word) for word in heard.words]
        write_atomic(self.words, json.dumps({**known, "words": rows}, ensure_ascii=False, indent=0) + "\n")
        write_atomic(target, write_vtt(caption_words(heard.words), _note(self.path.name, heard, model)))
        self._remove(stale, target)
        return True

    def _remove(self, stale: Path | None, target: Path | None) -> None:
        """Remove captions that this verb wrote of what the file was before."""
        for old in (stale, self.words if target is None else None):
            if old is not None and old != target and old.exists() and is_mine(old):
                old.unlink()

    def _stem(self) -> str:
        media = VIDEO_SUFFIXES | SOUND_SUFFIXES
        with suppress(OSError), os.scandir(self.path.parent) as listing:
            for entry in listing:
                other = Path(entry.name)
                if (
                    other.stem == self.path.stem
                    and other.suffix.lower() in media
                    and entry.name != self.path.name
                ):
                    return self.path.name
        return self.path.stem

    def _status(self) -> dict[str, Any]:
        status = self.path.stat()
        return {"file": self.path.name, "size": status.st_size, "mtime_ns": status.st_mtime_ns}

    def _same(self, known: dict[str, Any]) -> bool:
        """Tell whether the file is what it was: by size and date, else by its content."""
        now = self._status()
        if known.get("size") != now["size"] or known.get("file") != now["file"]:
            return False
        return known.get("mtime_ns") == now["mtime_ns"] or known.get("content") == sha256_of(self.path)

    def _words_said(self) -> dict[str, Any] | None:
        with suppress(OSError, ValueError, RecursionError):
            known = json.loads(self.words.read_text(encoding="utf-8"))
            return known if isinstance(known, dict) else None
        return None

    def _noted(self) -> dict[str, Any] | None:
        """Return the last line about the file among those in which nobody speaks."""
        found = None
        with suppress(OSError):
            for line in (
                (self.path.parent / LEDGER).read_text(encoding="utf-8", errors="replace").splitlines()
            ):
                with suppress(ValueError, RecursionError):
                    row = json.loads(line)
                    if isinstance(row, dict) and row.get("file") == self.path.name:
                        found = row
        return found

    def _note(self, known: dict[str, Any]) -> None:
        """Add a line about a file in which nobody speaks; after one that a kill cut off, on a new line."""
        with (self.path.parent / LEDGER).open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                file.write(b"" if file.read(1) == b"\n" else b"\n")
            file.write(json.dumps(known).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _made_by(heard: Heard, model: SpeechModel) -> dict[str, Any]:
    return {
        "made_by": f"sayso transcribe {__version__}",
        "model": model.name,
        "model_sha256": model.sha256,
        "settings": {**SETTINGS, "dropped": DROPPED},
        "language": heard.language,
        "language_probability": round(heard.language_probability, 4),
        "heard_s": round(heard.seconds, 3),
    }


def _word_row(word: HeardWord) -> dict[str, Any]:
    row = asdict(word)
    return {
        "text": row["text"],
        "start_s": row["start"],
        "end_s": row["end"],
        "probability": row["probability"],
    }


def _note(name: str, heard: Heard, model: SpeechModel) -> str:
    """Return what the captions say of themselves."""
    settings = json.dumps({**SETTINGS, "dropped": DROPPED})
    return "\n".join(
        [
            f"machine-made: what speech recognition heard in {name}, not checked by a person",
            f"made by sayso transcribe {__version__}",
            f"model Whisper {model.name}, sha256 of its weights {model.sha256}",
            f"settings {settings}",
            f"language {heard.language}, probability {heard.language_probability:.2f}",
        ]
    )
