"""The searchable collection: files go in, moments come out."""

from sayso.core.lazy import exports

__getattr__ = exports(
    __name__,
    {
        "AddReport": "sayso.index.build",
        "Failure": "sayso.index.sources",
        "Hit": "sayso.index.hit",
        "Index": "sayso.index.collection",
        "Media": "sayso.index.hit",
    },
)

__all__ = ["AddReport", "Failure", "Hit", "Index", "Media"]
