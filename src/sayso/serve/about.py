"""What the collections of a server hold, each and together."""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import Any

from sayso.serve.answers import CollectionAnswer, IndexAnswer, PersonAnswer
from sayso.serve.collections import Collections
from sayso.serve.holdings import SAMPLED_FILES
from sayso.serve.people import MOST, Named
from sayso.version import __version__


def about(held: Collections, collection: str, *, local: bool) -> IndexAnswer:
    """Describe a collection, or all of them together.

    Args:
        held: what is served.
        collection: its name; "" for all.
        local: whether files can be opened on this machine.
    """
    found = {name: holdings.summary() for name, holdings in held.asked(collection).items()}
    infos = [info for info, _ in found.values()]
    sums = [summary for _, summary in found.values()]
    samples = [held.label(name, summary.sample) for name, (_, summary) in found.items()]
    mixed = [hit for hit in chain.from_iterable(zip_longest(*samples)) if hit is not None]
    return IndexAnswer(
        **_together(infos),
        videos=sum(one.videos for one in sums),
        pictures=sum(one.pictures for one in sums),
        duration_s=sum(one.duration_s for one in sums),
        local=local,
        version=__version__,
        sample=mixed[:SAMPLED_FILES],
        people=_people({name: summary.people for name, (_, summary) in found.items()}, held.several),
        collections=[*_served(held), *(_unopened(name, why) for name, why in held.unopened.items())],
    )


def _together(infos: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the info of one index, or what can be said of several."""
    if len(infos) == 1:
        return infos[0]
    one_model = len({info["model_sha256"] for info in infos}) == 1
    return {
        "model": ", ".join(dict.fromkeys(info["model"] for info in infos)),
        "model_sha256": infos[0]["model_sha256"] if one_model else "",
        "dim": infos[0]["dim"] if one_model else 0,
        "normalised": all(info["normalised"] for info in infos),
        "created": min(info["created"] for info in infos),
        "clips": sum(info["clips"] for info in infos),
        "media": sum(info["media"] for info in infos),
        "has_text": any(info["has_text"] for info in infos),
    }


def _people(named: dict[str, tuple[Named, ...]], several: bool) -> list[PersonAnswer]:
    """Return the people of all collections; those of one name are one."""
    counts: dict[str, int] = {}
    clips: dict[str, str] = {}
    for collection, people in named.items():
        for one in people:
            counts[one.name] = counts.get(one.name, 0) + one.clips
            clips.setdefault(one.name, f"{collection}:{one.clip}" if several else one.clip)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))[:MOST]
    return [PersonAnswer(name=name, clips=counts[name], face=f"face/{clips[name]}") for name in ranked]


def _served(held: Collections) -> list[CollectionAnswer]:
    infos = {name: holdings.index.info() for name, holdings in held.holdings.items()}
    return [
        CollectionAnswer(name=name, model=info["model"], clips=info["clips"], media=info["media"], problem="")
        for name, info in infos.items()
    ]


def _unopened(name: str, why: str) -> CollectionAnswer:
    return CollectionAnswer(name=name, model="", clips=0, media=0, problem=why)
