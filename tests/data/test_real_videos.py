"""Videos as they are found, of many codecs and sizes, one of them damaged: an epoch runs through."""

from __future__ import annotations

import json

from sayso.core.errors import MediaError
from sayso.data import Clips, Loader, read_corpus
from sayso.media import kind_of, read_clip


def readable(path):
    try:
        read_clip(path, 0.0, 1.0, frames=1)
    except MediaError:
        return False
    return True


def test_an_epoch_of_real_videos_runs_through(shared_data, tmp_path):
    files = [path for path in sorted((shared_data / "videos").rglob("*")) if kind_of(path) == "video"]
    rows = [{"path": str(path), "text": path.parent.name} for path in files]
    manifest = tmp_path / "real.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)))
    corpus = read_corpus(manifest)
    assert len(corpus) == len(files)
    loader = Loader(Clips(corpus, frames=4, fps=4, size=64, bag_size=1), 1, workers=2, epochs=1)
    batches = list(loader)
    assert len(batches) == len(files)
    assert {batch["frames"].shape for batch in batches} == {(1, 4, 64, 64, 3)}
    failed = {failure.path for failure in loader.failures}
    assert {str(path) for path in files if not readable(path)} <= failed < {str(path) for path in files}
