"""The model card: README.md of a model folder, as the hub shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST = 200  # characters of an option's value

_LOAD = """```python
import sayso

model = sayso.load("this folder")
{call}
```"""


@dataclass(frozen=True, slots=True)
class CardHeading:
    """What the card of a kind of model says first.

    Args:
        title: the heading.
        tags: by which the hub finds it; the hub's own task, if there is one, first.
        usage: how to use it, Markdown.
    """

    title: str
    tags: tuple[str, ...]
    usage: str


HEADINGS = {
    "video_text": CardHeading(
        "Text-video embedding",
        ("video-retrieval", "text-video-embedding"),
        _LOAD.format(call='model.encode_text(["cut the onion"])'),
    ),
    "feature_text": CardHeading(
        "Text-video embedding, from features of clips",
        ("video-retrieval", "text-video-embedding"),
        _LOAD.format(call='model.encode_text(["cut the onion"])'),
    ),
    "hub_encoder": CardHeading(
        "Image-text embedding",
        ("zero-shot-image-classification", "image-text-embedding"),
        _LOAD.format(call='model.encode_text(["a photo of a cat"])'),
    ),
    "frozen_towers": CardHeading(
        "Image-text embedding on frozen networks",
        ("zero-shot-image-classification", "image-text-embedding"),
        _LOAD.format(call='model.encode_text(["a photo of a cat"])'),
    ),
    "localizer": CardHeading(
        "Object localization, learned from image-level tags alone",
        ("object-detection", "weakly-supervised-localization"),
        "```\nsayso localize THIS_FOLDER picture.jpg\nsayso serve INDEX --where THIS_FOLDER\n```",
    ),
    "step_classifier": CardHeading(
        "Steps of instructional tasks, learned from narration",
        ("step-localization", "weak-supervision"),
        "```\nsayso evaluate crosstask --data RELEASE --features FEATURES --model THIS_FOLDER\n```",
    ),
    "step_model": CardHeading(
        "Steps of one task, discovered in narrated videos",
        ("step-discovery", "weak-supervision"),
        "```\nsayso steps apply THIS_FOLDER video.mp4\n```",
    ),
}


def model_card(kind: str, card: str, facts: Mapping[str, str], options: Mapping[str, Any]) -> str:
    """Return the Markdown of a model card.

    Args:
        kind: of the model.
        card: where it comes from.
        facts: a line each: what, and how much.
        options: of its configuration, a row each; long ones are cut.
    """
    heading = HEADINGS.get(kind, CardHeading(kind, (kind,), _LOAD.format(call="print(model)")))
    rows = "\n".join(f"| {name} | {_short(value)} |" for name, value in options.items())
    lines = "\n".join(f"* {name}: {value}" for name, value in facts.items())
    return f"""---
library_name: sayso
tags: [{", ".join((*heading.tags, kind))}]
---

# {heading.title}

{card or "Trained with sayso."}

{lines}

| option | value |
| --- | --- |
{rows}

{heading.usage}
"""


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    text = text.replace("|", "\\|").replace("\n", " ")
    return text if len(text) <= LONGEST else text[: LONGEST - 4] + " ..."
