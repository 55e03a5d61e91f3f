"""Words: caption files beside media, what they say and when."""

from sayso.core.lazy import exports

__getattr__ = exports(
    __name__,
    {
        "Transcript": "sayso.text.transcript",
        "find_subtitles": "sayso.text.beside",
        "read_subtitles": "sayso.text.subtitles",
        "transcript_of": "sayso.text.transcript",
        "write_srt": "sayso.text.subtitles",
        "write_vtt": "sayso.text.subtitles",
    },
)

__all__ = ["Transcript", "find_subtitles", "read_subtitles", "transcript_of", "write_srt", "write_vtt"]
