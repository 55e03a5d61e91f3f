"""Long work that overlaps its stages and can be interrupted: extraction, and training of any system.

What a system from outside needs is here: ``System``, the two kinds of ``Method``, ``TrainingConfig``.
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.engine.system import SYSTEMS, EmbeddingMethod, LossesMethod, Method, System
    from sayso.engine.training_config import TrainingConfig
else:
    __getattr__ = exports(
        __name__,
        {
            "SYSTEMS": "sayso.engine.system",
            "EmbeddingMethod": "sayso.engine.system",
            "LossesMethod": "sayso.engine.system",
            "Method": "sayso.engine.system",
            "System": "sayso.engine.system",
            "TrainingConfig": "sayso.engine.training_config",
        },
    )

__all__ = ["SYSTEMS", "EmbeddingMethod", "LossesMethod", "Method", "System", "TrainingConfig"]
