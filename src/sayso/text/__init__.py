"""Words: caption files beside media, what they say and when."""

from sayso.core.lazy import exports

__getattr__ = exports(
    __name__,
    {
        "Screenplay": "sayso.text.screenplay",
        "Transcript": "sayso.text.transcript",
        "find_subtitles": "sayso.text.beside",
        "parse_screenplay": "sayso.text.screenplay_reader",
        "read_screenplay": "sayso.text.screenplay",
        "read_subtitles": "sayso.text.subtitles",
        "transcript_of": "sayso.text.transcript",
        "write_fountain": "sayso.text.screenplay_fountain",
        "write_srt": "sayso.text.subtitles",
        "write_vtt": "sayso.text.subtitles",
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
