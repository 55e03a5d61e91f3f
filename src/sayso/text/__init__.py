"""Words: caption files beside media, film scripts, and the language that they are in (no torch)."""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.text.captions.beside import find_subtitles
    from sayso.text.captions.subtitles import read_subtitles, write_srt, write_vtt
    from sayso.text.captions.transcript import Transcript, transcript_of
    from sayso.text.screenplay.elements import Screenplay, read_screenplay
    from sayso.text.screenplay.fountain import write_fountain
    from sayso.text.screenplay.reader import parse_screenplay

__getattr__ = exports(
    __name__,
    {
        "Screenplay": "sayso.text.screenplay.elements",
        "Transcript": "sayso.text.captions.transcript",
        "find_subtitles": "sayso.text.captions.beside",
        "parse_screenplay": "sayso.text.screenplay.reader",
        "read_screenplay": "sayso.text.screenplay.elements",
        "read_subtitles": "sayso.text.captions.subtitles",
        "transcript_of": "sayso.text.captions.transcript",
        "write_fountain": "sayso.text.screenplay.fountain",
        "write_srt": "sayso.text.captions.subtitles",
        "write_vtt": "sayso.text.captions.subtitles",
    },
)

__all__ = [
    "Screenplay",
    "Transcript",
    "find_subtitles",
    "parse_screenplay",
    "read_screenplay",
    "read_subtitles",
    "transcript_of",
    "write_fountain",
    "write_srt",
    "write_vtt",
]
