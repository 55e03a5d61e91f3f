"""Curation of pairs of pictures and texts from the web, by the published rules."""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.data.alt_text.pipeline import CurationResult, curate
    from sayso.data.alt_text.rules import ALIGN, DATACOMP, NO_RULES, RULE_SETS, CurationRules
else:
    __getattr__ = exports(
        __name__,
        {
            "ALIGN": "sayso.data.alt_text.rules",
            "DATACOMP": "sayso.data.alt_text.rules",
            "NO_RULES": "sayso.data.alt_text.rules",
            "RULE_SETS": "sayso.data.alt_text.rules",
            "CurationResult": "sayso.data.alt_text.pipeline",
            "CurationRules": "sayso.data.alt_text.rules",
            "curate": "sayso.data.alt_text.pipeline",
        },
    )


__all__ = ["ALIGN", "DATACOMP", "NO_RULES", "RULE_SETS", "CurationResult", "CurationRules", "curate"]
