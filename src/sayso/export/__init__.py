"""Results as files that other programs read."""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.export.coco import CocoIds, coco_results
    from sayso.export.names_overlay import check_overlay, draw_names
    from sayso.export.naming_sheet import sheet_page, sheet_png
    from sayso.export.naming_vtt import names_vtt, people_manifest
    from sayso.export.overlay import overlay_png
    from sayso.export.script_html import script_page
    from sayso.export.script_tables import descriptions_csv, moments_manifest, speaker_srt
    from sayso.export.steps_files import steps_vtt, youtube_chapters
    from sayso.export.steps_html import steps_page
    from sayso.export.timestamps import timestamp
else:
    __getattr__ = exports(
        __name__,
        {
            "CocoIds": "sayso.export.coco",
            "check_overlay": "sayso.export.names_overlay",
            "coco_results": "sayso.export.coco",
            "descriptions_csv": "sayso.export.script_tables",
            "draw_names": "sayso.export.names_overlay",
            "moments_manifest": "sayso.export.script_tables",
            "names_vtt": "sayso.export.naming_vtt",
            "overlay_png": "sayso.export.overlay",
            "people_manifest": "sayso.export.naming_vtt",
            "script_page": "sayso.export.script_html",
            "sheet_page": "sayso.export.naming_sheet",
            "sheet_png": "sayso.export.naming_sheet",
            "speaker_srt": "sayso.export.script_tables",
            "steps_page": "sayso.export.steps_html",
            "steps_vtt": "sayso.export.steps_files",
            "timestamp": "sayso.export.timestamps",
            "youtube_chapters": "sayso.export.steps_files",
        },
    )

__all__ = [
    "CocoIds",
    "check_overlay",
    "coco_results",
    "descriptions_csv",
    "draw_names",
    "moments_manifest",
    "names_vtt",
    "overlay_png",
    "people_manifest",
    "script_page",
    "sheet_page",
    "sheet_png",
    "speaker_srt",
    "steps_page",
    "steps_vtt",
    "timestamp",
    "youtube_chapters",
]
