"""Episodes: a few examples of two classes under invented names, then another picture to name.

Only the examples tell what the names mean, so that learning from episodes is learning to use examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sayso.core.errors import SaysoError
from sayso.data.interleaved import PairPages, SpellAnswer

if TYPE_CHECKING:
    from sayso.data.picture_pairs import PicturePairs

INVENTED = (
    *("dax", "blick", "wug", "toma", "fep", "zorp", "mib", "lorp", "kiki", "bouba", "tulver", "gazzer"),
    *("modi", "pizer", "riffle", "snark", "plim", "vex", "dorf", "quib", "yonk", "spad", "nupe", "harl"),
)


class Episodes(PairPages):
    """Pages that teach two invented names by examples and end with a picture to name.

    Args:
        pairs: pictures whose first caption is the name of their class.
        spell: how a name stands in a page.
        shots: examples of each class.
        between: what stands between the examples.

    Raises:
        SaysoError: if there are no two classes of ``shots`` pictures and one more.
    """

    def __init__(self, pairs: PicturePairs, spell: SpellAnswer, shots: int = 2, between: str = "\n") -> None:
        super().__init__(pairs, spell)
        self.shots, self.between = shots, between
        members: dict[str, list[int]] = {}
        for n in range(len(pairs)):
            members.setdefault(pairs.captions(n)[0], []).append(n)
        self.classes = [numbers for _, numbers in sorted(members.items()) if len(numbers) > shots]
        if len(self.classes) < 2 or shots < 1:
            raise SaysoError(
                f"episodes of {shots} examples need two classes of {shots + 1} pictures; there are"
                f" {len(self.classes)} in {len(members)} classes"
            )

    def page(self, number: int, rng: np.random.Generator) -> tuple[str, Sequence[int]]:
        """Return an episode, whose last picture is of one class or the other; ``number`` decides nothing."""
        del number
        pair = rng.choice(len(self.classes), 2, replace=False)
        names = rng.choice(len(INVENTED), 2, replace=False)
        asked = int(rng.integers(2))
        shown: list[tuple[int, int]] = []
        for side in (0, 1):
            wanted = self.shots + (side == asked)
            taken = rng.choice(self.classes[pair[side]], wanted, replace=False)
            shown += [(int(one), side) for one in taken]
        last = shown.pop(-1 if asked else self.shots)
        order = [*(shown[n] for n in rng.permutation(len(shown))), last]
        texts = [self.spell(INVENTED[names[side]]) for _, side in order]
        return self.between.join(texts), [picture for picture, _ in order]
