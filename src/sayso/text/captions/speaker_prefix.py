"""Who speaks, as speech recognisers with diarisation write it before the words.

``[SPEAKER_00]: words`` (whisperX), ``(speaker 0) words`` (whisper.cpp), ``SPEAKER_00:
words``, ``Speaker 1: words`` and ``spk_0: words``. Other names before a colon are text: people say
"remember: measure twice".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

ID = r"(?:speaker|spk)[ _-]?(?:\d{1,4}|[a-z]|\?)"
PREFIX = re.compile(
    rf"^[ \t]*(?:>>|-)?[ \t]*(?:\[({ID})\]|\(({ID})\)|({ID})(?=\s*:))[ \t]*:?[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
TURN = re.compile(r"\[SPEAKER[_ ]TURN\]", re.IGNORECASE)


def may_name_speakers(text: str) -> bool:
    """Say whether a text can hold such a prefix; quick."""
    small = text.lower()
    return "speaker" in small or "spk" in small


def split_speakers(text: str) -> Iterator[tuple[str | None, str]]:
    """Split a caption at its speakers' prefixes: pairs of speaker (None if not named) and words."""
    text = TURN.sub("", text)
    speaker, at = None, 0
    for prefix in PREFIX.finditer(text):
        if text[at : prefix.start()].strip():
            yield speaker, text[at : prefix.start()]
        name = prefix[1] or prefix[2] or prefix[3]
        speaker, at = None if name.endswith("?") else name, prefix.end()
    yield speaker, text[at:]
