"""The network: a backbone that keeps the place, adaptation layers, and rules that pool their maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from sayso.models.score_map_head import SHARPNESS, MapHead, Pooling, pool
from sayso.systems.localize.letterbox import cell_mask

if TYPE_CHECKING:
    from sayso.encoders.backbones import Backbone


class TagNet(nn.Module):
    """Letterboxed pictures, or the features of their grid cells, to one score for each class.

    Args:
        head: the adaptation layers.
        pooling: how the scores of all cells become one.
        sharpness: of log-sum-exp.
        backbone: learns too; None: its features are given.
    """

    def __init__(
        self, head: MapHead, pooling: Pooling, sharpness: float = SHARPNESS, backbone: Backbone | None = None
    ) -> None:
        super().__init__()
        self.head, self.pooling, self.sharpness, self.backbone = head, pooling, sharpness, backbone

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores by the rule, and by the average of all cells, (B, C) each.

        Args:
            x: pixels (B, H, W, 3) uint8; without a backbone features of N cells, (B, N, D).
            mask: alpha (B, H, W), 0 to 255, above 0 where the picture is; without a backbone (B, N), which
                cells show picture.
        """
        if self.backbone is None:
            features, inside = x.float().mT[..., None], mask[..., None] > 0
        else:
            features = self.backbone(x.permute(0, 3, 1, 2).float())
            inside = cell_mask(mask, self.backbone.stride)
        maps = self.head(features).float()
        return pool(maps, self.pooling, inside, self.sharpness), pool(maps, "average", inside)
