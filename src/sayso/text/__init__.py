"""Words: caption files beside media, film scripts, and the language that they are in (no torch)."""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.text.captions.caption_file import CaptionFile, read_caption_file, read_subtitles
    from sayso.text.captions.encoding import guess_code_page
    from sayso.text.captions.sidecar import find_subtitles
    from sayso.text.captions.transcript import Transcript, transcript_of
    from sayso.text.captions.write import write_srt, write_vtt
    from sayso.text.screenplay.elements import Screenplay
    from sayso.text.screenplay.fountain import write_fountain
    from sayso.text.screenplay.parse import parse_screenplay
    from sayso.text.screenplay.read import read_screenplay
else:
    __getattr__ = exports(
        __name__,
        {
            "CaptionFile": "sayso.text.captions.caption_file",
            "Screenplay": "sayso.text.screenplay.elements",
            "Transcript": "sayso.text.captions.transcript",
            "find_subtitles": "sayso.text.captions.sidecar",
            "guess_code_page": "sayso.text.captions.encoding",
            "parse_screenplay": "sayso.text.screenplay.parse",
            "read_caption_file": "sayso.text.captions.caption_file",
            "read_screenplay": "sayso.text.screenplay.read",
            "read_subtitles": "sayso.text.captions.caption_file",
            "transcript_of": "sayso.text.captions.transcript",
            "write_fountain": "sayso.text.screenplay.fountain",
            "write_srt": "sayso.text.captions.write",
            "write_vtt": "sayso.text.captions.write",
        },
    )


__all__ = [
    "CaptionFile",
    "Screenplay",
    "Transcript",
    "find_subtitles",
    "guess_code_page",
    "parse_screenplay",
    "read_caption_file",
    "read_screenplay",
    "read_subtitles",
    "transcript_of",
    "write_fountain",
    "write_srt",
    "write_vtt",
]
