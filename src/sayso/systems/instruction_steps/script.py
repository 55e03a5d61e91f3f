"""Stage 1: the steps of a task, in order, from its narrations.

Each narration is a sequence of pairs of verb and object. They are aligned so that what is alike
shares a slot (``sayso.solvers.sequence_alignment``); the slots that most videos fill are the steps.
Somebody who swaps two steps fills another slot with the same phrases, so slots of the same phrases that no
video fills both of are one step, at the place of the larger. What is done again ("stir mixture") would be a
step of the same name: it is one step too, where most do it, so that a list names nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sayso.core.arrays import Floats
from sayso.core.errors import SaysoError
from sayso.solvers.sequence_alignment import align_sequences
from sayso.text.language.narration import Mention
from sayso.text.language.phrases import Embed, commonest, phrase_likeness, with_particles

APART = 100.0  # cost of two phrases of different steps in one slot; the paper's
_TOGETHER = 0.1  # of the videos of the smaller slot that may fill both slots of one step
_ALIKE = 0.1  # mean likeness of the phrases of two such slots
_OFTEN, _TOP, _MOST = 0.3, 5, 25  # where the number of steps is not given (``_standing_out``)


@dataclass(frozen=True, eq=False)
class ScriptStep:
    """A step that the narrations have in common.

    Args:
        phrases: its names, with the number of videos, the commonest first.
        mentions: number of the video -> its mention there.
    """

    phrases: tuple[tuple[str, int], ...]
    mentions: dict[int, Mention]

    @property
    def name(self) -> str:
        """Its commonest phrase."""
        return self.phrases[0][0]


def discover_script(
    videos: Sequence[Sequence[Mention]],
    steps: int | None = None,
    *,
    embed: Embed | None = None,
    commonest_pairs: int = 45,
    slots: int = 120,
    starts: int = 3,
    seed: int = 0,
) -> list[ScriptStep]:
    """Return the steps that the narrations have in common, in order.

    Args:
        videos: the mentions of each narration (``sayso.text.language.narration.mentions``).
        steps: at most how many; None leaves it to the data (``_standing_out``).
        embed: texts -> embeddings with cosine similarity, to find synonyms; None: the same words only.
        commonest_pairs: how many pairs of verb and object are aligned.
        slots: of the alignment.
        starts: of the alignment.
        seed: of the alignment's random starts.

    Raises:
        SaysoError: if no two videos mention the same action.
    """
    videos = with_particles(videos)
    pairs = commonest(videos, commonest_pairs)
    if not pairs:
        raise SaysoError(
            "no two of these videos name the same action; the steps are found from what narrations share: "
            "give more videos of one task, with their captions"
        )
    number = {pair: at for at, pair in enumerate(pairs)}
    common = [[m for m in video if (m.verb, m.object) in number] for video in videos]
    tokens = [[number[m.verb, m.object] for m in video] for video in common]
    likeness = phrase_likeness(pairs, [[(m.verb, m.object) for m in video] for video in videos], embed)
    cost = np.where(likeness > 0, -likeness, APART)
    aligned = align_sequences(tokens, cost, slots=slots, starts=starts, seed=seed)
    filled: dict[int, dict[int, Mention]] = {}
    for n, (slots_of, mentions) in enumerate(zip(aligned.slots, common, strict=True)):
        for slot, mention in zip(slots_of, mentions, strict=True):
            filled.setdefault(int(slot), {})[n] = mention
    merged = _named_once(_merged(filled, number, likeness))
    order = sorted(merged, key=lambda slot: (-len(merged[slot]), slot))
    wanted = _standing_out([len(merged[slot]) for slot in order]) if steps is None else steps
    return [_step(merged[slot]) for slot in sorted(order[:wanted])]


def _merged(
    filled: dict[int, dict[int, Mention]], number: dict[tuple[str, str], int], likeness: Floats
) -> dict[int, dict[int, Mention]]:
    """Join slots of the same phrases that hardly any video fills both of, in the larger's place."""
    kept: dict[int, dict[int, Mention]] = {}
    for slot in sorted(filled, key=lambda slot: (-len(filled[slot]), slot)):
        smaller = filled[slot]
        for larger in kept.values():
            both = len(larger.keys() & smaller.keys())
            if both <= _TOGETHER * len(smaller) and _alike(larger, smaller, number, likeness):
                for n, mention in smaller.items():
                    larger.setdefault(n, mention)
                break
        else:
            kept[slot] = dict(smaller)
    return kept


def _named_once(slots: dict[int, dict[int, Mention]]) -> dict[int, dict[int, Mention]]:
    """Join slots whose commonest phrases are the same, in the larger's place, until each has its own name."""
    kept: dict[str, tuple[int, dict[int, Mention]]] = {}
    for slot in sorted(slots, key=lambda slot: (-len(slots[slot]), slot)):
        _, larger = kept.setdefault(_name(slots[slot]), (slot, {}))
        larger |= {n: mention for n, mention in slots[slot].items() if n not in larger}
    joined = dict(kept.values())
    return joined if len(joined) == len(slots) else _named_once(joined)


def _name(mentions: dict[int, Mention]) -> str:
    return _step(mentions).name


def _alike(
    a: dict[int, Mention], b: dict[int, Mention], number: dict[tuple[str, str], int], likeness: Floats
) -> bool:
    """Say whether two slots hold the same phrases, by the mean likeness of all pairs between them."""
    rows, columns = ([number[m.verb, m.object] for m in slot.values()] for slot in (a, b))
    return float(likeness[np.ix_(rows, columns)].mean()) >= _ALIKE


def _standing_out(support: Sequence[int]) -> int:
    """Return how many steps stand out: mentioned 0.3 times as often as the five most mentioned ones."""
    least = max(2.0, _OFTEN * sum(support[:_TOP]) / max(1, len(support[:_TOP])))
    return min(_MOST, max(1, sum(count >= least for count in support)))


def _step(mentions: dict[int, Mention]) -> ScriptStep:
    names = Counter(mention.phrase for mention in mentions.values())
    return ScriptStep(tuple(names.most_common()), dict(sorted(mentions.items())))
