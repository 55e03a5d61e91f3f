"""The HTTP API of an index, and the web page that searches it."""

from sayso.core.lazy import exports

__getattr__ = exports(
    __name__,
    {
        "create_app": "sayso.serve.app",
        "serve": "sayso.serve.server",
    },
)

__all__ = ["create_app", "serve"]
