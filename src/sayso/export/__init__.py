"""Results as files that other programs read."""

from sayso.core.lazy import exports

__getattr__ = exports(
    __name__,
    {
        "descriptions_csv": "sayso.export.script_tables",
        "moments_manifest": "sayso.export.script_tables",
        "script_page": "sayso.export.script_html",
        "speaker_srt": "sayso.export.script_tables",
    },
)

__all__ = ["descriptions_csv", "moments_manifest", "script_page", "speaker_srt"]
