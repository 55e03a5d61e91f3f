"""Where in the picture, from tags alone: the lecture's first system.

Somebody tagged pictures: this one shows a dog and a sofa. Nobody said where. A network gives each
grid cell of a picture a score for each class; the picture's score is that of its best cell, and only this
is compared with the tag. To get it right the network must find a cell that tells dogs from all else.

    backbone:  picture -> feature map, (D, h, w)
    head:      features -> score maps x, (C, h, w)
    score:     f_c = max over cells of x_c           (average and log-sum-exp: one option away)
    loss:      sum_c log(1 + exp(-y_c f_c))          y_c = +1 tagged, -1 not, 0 not known

Of few pictures the best cell is soon learned by heart: it may be any spot that no other picture has.
So a share of the loss is of global average pooling (``gap_weight``; published: none).
The backbone is frozen, and its features are made once (``learn=head``), or learns along
(``learn=all``). Pictures are scaled by 0.7 to 1.4; to locate, six scales are averaged, as they are or so that
all weigh alike (``standardize``), and each of them mirrored too (``mirror``).
People's actions in still pictures are learned in the same way from actions as tags.

Source
    Oquab, Bottou, Laptev, Sivic, CVPR 2015, Is object localization for free?
"""

from typing import TYPE_CHECKING

from sayso.core.lazy import exports

if TYPE_CHECKING:
    from sayso.systems.localize.locate import Localizer, Located, MultiScale
    from sayso.systems.localize.pipeline import LocalizeOptions, LocalizeResult, run
    from sayso.systems.localize.train import Localize, Recipe
else:
    __getattr__ = exports(
        __name__,
        {
            "Localize": "sayso.systems.localize.train",
            "LocalizeOptions": "sayso.systems.localize.pipeline",
            "LocalizeResult": "sayso.systems.localize.pipeline",
            "Localizer": "sayso.systems.localize.locate",
            "Located": "sayso.systems.localize.locate",
            "MultiScale": "sayso.systems.localize.locate",
            "Recipe": "sayso.systems.localize.train",
            "run": "sayso.systems.localize.pipeline",
        },
    )

__all__ = [
    "Localize",
    "LocalizeOptions",
    "LocalizeResult",
    "Localizer",
    "Located",
    "MultiScale",
    "Recipe",
    "run",
]
