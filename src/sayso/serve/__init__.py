"""The HTTP API of an index, and the web page that searches it."""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.serve.app import create_app
    from sayso.serve.server import serve
else:
    __getattr__ = exports(
        __name__,
        {
            "create_app": "sayso.serve.app",
            "serve": "sayso.serve.server",
        },
    )


__all__ = ["create_app", "serve"]
