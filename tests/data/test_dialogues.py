"""Dialogues of LLaVA's files: what is asked, what is answered, and what is wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sayso.core.errors import SaysoError
from sayso.data.dialogues import DialogueFile, holds_dialogues

RNG = np.random.default_rng(0)


def turns(*texts):
    return [{"from": ("human", "gpt")[n % 2], "value": text} for n, text in enumerate(texts)]


GOOD = [
    {"id": "1", "image": "a.jpg", "conversations": turns("What is\nit?\n<image>", " A cat. ", "Why?", "So.")},
    {"id": "2", "image": ["b.jpg", "a.jpg"], "conversations": turns("<image> or <image>?", "Both.")},
    {"id": "3", "conversations": turns("No picture?", "None.")},
]
BAD = [
    {"image": "a.jpg", "conversations": turns("No mark?", "None.")},
    {"conversations": turns("<image>\nWhere?", "Nowhere.")},
    {"image": "a.jpg", "conversations": turns("<image>\nWhat?")},
    {"image": "a.jpg", "conversations": turns("<image>", "The <image>.")},
    {"image": "a.jpg", "conversations": turns("<image>", "x")[::-1]},
    {"image": "a.jpg"},
    [],
    "text",
]


@pytest.mark.parametrize("lines", [False, True])
def test_turns_and_pictures_are_read_and_broken_records_told(tmp_path, lines):
    rows = [*GOOD, *BAD]
    file = tmp_path / ("d.jsonl" if lines else "d.json")
    file.write_text("\n".join(map(json.dumps, rows)) if lines else json.dumps(rows, indent=1))
    assert holds_dialogues(file)
    found = DialogueFile(file)
    assert len(found) == 3
    assert found.dialogue(0, RNG) == ((("<image>What is it?", "A cat."), ("Why?", "So.")), (0,))
    assert found.dialogue(1, RNG) == ((("<image><image>or ?", "Both."),), (1, 0))
    assert found.dialogue(2, RNG) == ((("No picture?", "None."),), ())
    assert [found.name(n) for n in range(found.media)] == [str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")]
    assert len(found.failures) == len(BAD)
    assert "0 <image> marks and 1 images" in found.failures[0].error
    assert "record 4" in found.failures[0].error


def test_files_of_other_kinds_hold_none(tmp_path):
    coco, manifest = tmp_path / "coco.json", tmp_path / "m.jsonl"
    coco.write_text('{"images": [], "annotations": []}')
    manifest.write_text('{"path": "a.jpg", "text": "the conversations"}\n')
    assert not any(map(holds_dialogues, (coco, manifest, tmp_path, tmp_path / "none.json")))
    coco.write_text("[{]")
    with pytest.raises(SaysoError, match="cannot be read"):
        DialogueFile(coco)
    coco.write_text("[1]")
    with pytest.raises(SaysoError, match="holds no dialogue"):
        DialogueFile(coco)
