"""The network: a backbone that keeps the place, adaptation layers, and rules that pool their maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from sayso.models.score_map_head import SHARPNESS, MapHead, Pooling, pool
from sayso.systems.localize.canvas import inside

if TYPE_CHECKING:
    from sayso.encoders.backbones import Backbone


class TagNet(nn.Module):
    """Canvases, or the features of their places, to one score for each class.

    Args:
        head: the adaptation layers.
        pooling: how the scores of all places become one.
        sharpness: of log-sum-exp.
        backbone: learns too; None: its features are given.
    """

    def __init__(
        self, head: MapHead, pooling: Pooling, sharpness: float = SHARPNESS, backbone: Backbone | None = None
    ) -> None:
        super().__init__()
        self.head, self.pooling, self.sharpness, self.backbone = head, pooling, sharpness, backbone

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores by the rule, and by the average of all places, (B, K) each.

        Args:
            x: canvases (B, H, W, 4) uint8; without a backbone features of P places, (B, P, D + 1), the
                last number above 0 where there is a place.
        """
        if self.backbone is None:
            features, there = x[..., :-1].float().mT[..., None], x[..., -1:] > 0
        else:
            features = self.backbone(x[..., :3].permute(0, 3, 1, 2).float())
            there = inside(x[..., 3], self.backbone.stride)
        maps = self.head(features).float()
        return pool(maps, self.pooling, there, self.sharpness), pool(maps, "average", there)
