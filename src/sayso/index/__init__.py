"""The searchable collection: files go in, moments come out."""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.data.manifest import Failure
    from sayso.index.collection import Index
    from sayso.index.hit import Hit, Media
    from sayso.index.report import AddReport
else:
    __getattr__ = exports(
        __name__,
        {
            "AddReport": "sayso.index.report",
            "Failure": "sayso.data.manifest",
            "Hit": "sayso.index.hit",
            "Index": "sayso.index.collection",
            "Media": "sayso.index.hit",
        },
    )


__all__ = ["AddReport", "Failure", "Hit", "Index", "Media"]
