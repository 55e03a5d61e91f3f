"""Words and their times from sound, by faster-whisper, with the settings that keep it from making things up.

Only where a detector hears a voice is anything recognised; no text conditions what follows, which is how
Whisper gets into loops; what the model itself doubts is dropped. A file is heard in stretches of some
minutes, cut where it is quiet, so that memory does not grow with its length.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.core.lazy import need
from sayso.media.sound import SOUND_RATE, stream_sound
from sayso.speech.speech_model import EXTRA, SpeechModel
from sayso.text.captions.heard_words import HeardWord

if TYPE_CHECKING:
    from faster_whisper.transcribe import Segment

SETTINGS: dict[str, Any] = {
    "beam_size": 1,
    "vad_filter": True,
    "condition_on_previous_text": False,
    "word_timestamps": True,
}
DROPPED = {"no_speech_prob": 0.6, "avg_logprob": -1.0}
"""A segment is dropped if it is less likely speech, and its words less likely, than this."""

STRETCH_S, _QUIET_WITHIN_S, _QUIET_S = 600, 60, 0.3
_SEED = 7  # of the tries that Whisper makes after a failed one: a file's words are the same in every run


@dataclass(frozen=True, slots=True)
class Heard:
    """What is said in a file.

    Args:
        words: in order, on the file's clock.
        language: as Whisper names it; None where nobody speaks.
        language_probability: how sure that is.
        seconds: of sound that were heard.
    """

    words: tuple[HeardWord, ...]
    language: str | None
    language_probability: float
    seconds: float


class Recognizer:
    """A loaded speech model; one thread, since two are no faster.

    Args:
        model: which.
        language: of what is said; None to detect it.
        device: cpu or cuda.

    Raises:
        MissingExtra: if faster-whisper is not installed.
    """

    def __init__(self, model: SpeechModel, language: str | None = None, device: str = "cpu") -> None:
        self.language = language
        self.whisper = need("faster_whisper", EXTRA).WhisperModel(
            str(model.folder),
            device=device,
            compute_type=compute_type(device),
            cpu_threads=1,
            local_files_only=True,
        )

    def listen(
        self, path: str | os.PathLike[str], progress: Callable[[float], None] = lambda _: None
    ) -> Heard:
        """Return what is said in a video or a file of sound.

        Args:
            path: the file.
            progress: told the second that was reached.

        Raises:
            NoSound: if it holds no sound.
            MediaError: if its sound cannot be read.
        """
        need("ctranslate2", EXTRA).set_random_seed(_SEED)
        words: list[HeardWord] = []
        language, sure, heard_s = self.language, 1.0 if self.language else 0.0, 0.0
        for start_s, sound in stretches(stream_sound(path)):
            heard_s = start_s + len(sound) / SOUND_RATE
            segments, info = self.whisper.transcribe(
                sound.astype(np.float32) / 32768.0, language=language, **SETTINGS
            )
            for segment in segments:
                if is_doubtful(segment):
                    continue
                if language is None:  # of the first stretch in which somebody speaks
                    language, sure = info.language, float(info.language_probability)
                words += heard_words(segment, start_s)
                progress(start_s + float(segment.end))
            progress(heard_s)
        return Heard(tuple(_in_order(words)), language if words else None, sure if words else 0.0, heard_s)


def compute_type(device: str) -> str:
    """Return how a model's numbers are held: what is fastest on a device and as good."""
    return "int8" if device == "cpu" else "float16"


def is_doubtful(segment: Segment) -> bool:
    """Tell whether the model itself takes a segment for no speech, and doubts its words."""
    unlikely = segment.avg_logprob < DROPPED["avg_logprob"]
    return bool(segment.no_speech_prob > DROPPED["no_speech_prob"] and unlikely)


def heard_words(segment: Segment, start_s: float = 0.0) -> Iterator[HeardWord]:
    """Yield a segment's words, on the file's clock.

    Args:
        segment: of a stretch of sound.
        start_s: where the stretch begins in the file, seconds.
    """
    for word in segment.words or ():
        text = word.word.strip()
        if text:
            start = round(start_s + float(word.start), 3)
            end = max(start, round(start_s + float(word.end), 3))
            yield HeardWord(text, start, end, round(float(word.probability), 4), word.word[:1].isspace())


def stretches(
    pieces: Iterator[NDArray[np.int16]], longest_s: float = STRETCH_S
) -> Iterator[tuple[float, NDArray[np.int16]]]:
    """Cut sound into stretches at the quietest moment of each one's last minute.

    Args:
        pieces: (n,) int16 each, one after the other.
        longest_s: length of a stretch at most, seconds.

    Yields:
        The second at which a stretch begins, and its sound.
    """
    limit, begun = int(longest_s * SOUND_RATE), 0
    waiting: list[NDArray[np.int16]] = []
    length = 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        while length > limit:
            sound = np.concatenate(waiting)
            cut = _quietest(sound[:limit])
            yield begun / SOUND_RATE, sound[:cut]
            begun += cut
            waiting, length = [sound[cut:]], len(sound) - cut
    if length:
        yield begun / SOUND_RATE, np.concatenate(waiting)


def _quietest(sound: NDArray[np.int16]) -> int:
    """Return the middle of the quietest moment near the end of some sound, in samples."""
    moment = int(_QUIET_S * SOUND_RATE)
    first = max(len(sound) // 2, len(sound) - _QUIET_WITHIN_S * SOUND_RATE)
    count = (len(sound) - first) // moment
    if count == 0:
        return len(sound)
    levels = (
        np.abs(sound[first : first + count * moment].astype(np.int32)).reshape(count, moment).mean(axis=1)
    )
    last_best = count - 1 - int(np.argmin(levels[::-1]))
    return first + last_best * moment + moment // 2


def _in_order(words: list[HeardWord]) -> list[HeardWord]:
    """Sort words by their starts, which at the seams of what was recognised may be off by a little."""
    return sorted(words, key=lambda word: word.start)
