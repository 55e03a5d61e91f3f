"""What is killed at each of its writes: indexing, watching, transcribing and training, each small."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import toy

COLOURS = sorted(toy.COLOURS)


class Workload(Protocol):
    """A run that may be cut off and goes on when it is run again.

    Args:
        size: how many times as much it does as it must.
    """

    def __init__(self, size: int = 1) -> None: ...

    def load(self) -> None:
        """Import what it needs, once."""

    def prepare(self, folder: Path) -> None:
        """Write what it starts from."""

    def run(self, folder: Path) -> None:
        """Do it, or go on with it."""

    def look(self, folder: Path) -> None:
        """Assert what must hold at any time."""

    def result(self, folder: Path) -> Any:
        """Return what it came to, as JSON; the same however often it was cut off."""


class Indexing:
    """A new index of videos and pictures, in many small commits."""

    def __init__(self, size: int = 1) -> None:
        self.size = size

    def load(self) -> None:
        import lancedb.merge
        import lancedb.table  # noqa: F401

        import sayso.index.collection
        import sayso.index.watching  # noqa: F401
        from sayso.index import writer

        writer.FLUSH_ROWS = 2

    def prepare(self, folder: Path) -> None:
        media = folder / "media"
        (media / "below").mkdir(parents=True)
        for k in range(3 * self.size):
            colours = [COLOURS[(k + step) % len(COLOURS)] for step in (0, 3)]
            toy.make_video(media / f"v{k}.mp4", colours, fps=2)
            toy.make_picture(media / "below" / f"p{k}.png", colours[0], size=(32 + k, 32))
        (media / "v0.srt").write_text("1\n00:00:00,000 --> 00:00:03,000\nhello there\n")
        (media / "broken.mp4").write_bytes(b"no video")

    def open(self, folder: Path) -> Any:
        from sayso import Index

        return Index.open(folder / "x.index", toy.ColourEncoder())

    def run(self, folder: Path) -> None:
        self.open(folder).add(folder / "media", workers=1, prune=True)

    def look(self, folder: Path) -> None:
        if not (folder / "x.index" / "media.lance").is_dir():
            return
        index = self.open(folder)
        hits = index.search("red", limit=100, merge=False)
        assert len({(hit.path, hit.start_s) for hit in hits}) == len(hits), "a clip is found twice"
        rows = index.store.clips.to_arrow().select(["id", "media_id"]).to_pylist()
        media_of = {row["id"]: row["media_id"] for row in rows}
        whole = {record.media_id for record in index.store.records().values()}
        assert all(media_of[hit.id] in whole for hit in hits), "a clip has no medium"

    def result(self, folder: Path) -> Any:
        index = self.open(folder)
        rows = index.store.clips.to_arrow().select(["path", "start_s", "text"]).to_pylist()
        held = sorted([row["path"], row["start_s"], row["text"]] for row in rows)
        found = sorted(  # which of two equal clips is the copy of the other is nothing that counts
            [-round(hit.score, 4), sorted([one.path, one.start_s] for one in (hit, *hit.copies))]
            for hit in index.search("red", limit=50)
        )
        records = {path: record.error for path, record in index.store.records().items()}
        return {"clips": held, "found": found, "media": records}


class IndexingAgain(Indexing):
    """An index that is there: a file is new, one was changed, one moved and one deleted."""

    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        self.run(folder)
        media = folder / "media"
        toy.make_video(media / "v0.mp4", ["white", "black", "red"], fps=2)
        (media / "v1.mp4").rename(media / "below" / "moved.mp4")
        (media / "below" / "p0.png").unlink()
        toy.make_picture(media / "new.png", "magenta")


class Watching(Indexing):
    """Watching a folder into which a file comes."""

    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        (folder / "media" / "broken.mp4").unlink()
        toy.make_picture(folder / "later.png", "magenta")

    def run(self, folder: Path) -> None:
        from sayso.index import watching
        from sayso.index.adding import Adding
        from sayso.index.watching import Settling, Watch

        watching.LOOK_S = 0.02
        index, comes = self.open(folder), folder / "media" / "later.png"
        index.add(folder / "media" / "v0.mp4", workers=1)
        if not self._is_root(index, folder):
            index.add(folder / "media", workers=1)

        def told(_: Any, waiting: Sequence[str]) -> None:
            if not comes.exists():
                shutil.copyfile(folder / "later.png", folder / "later.part")
                os.replace(folder / "later.part", comes)
            elif not waiting and str(comes) in index.store.records():
                watch.stop.set()

        watch = Watch(index, Adding(prune=True, workers=1), told, settling=Settling(settle_s=0.05))
        watch.run()

    def _is_root(self, index: Any, folder: Path) -> bool:
        from sayso.index.inventory import list_held_roots

        return any(one.root.path == str(folder / "media") for one in list_held_roots(index.store))


class Transcribing:
    """Captions of files in which somebody speaks, or nobody; who listens is a stand-in."""

    def __init__(self, size: int = 1) -> None:
        self.size = size

    def load(self) -> None:
        import sayso.transcribing
        from sayso.speech.speech_model import SpeechModel

        sayso.transcribing.find_speech_model = lambda name: SpeechModel(name, Path("/"), "ab" * 32)
        sayso.transcribing.Listeners = lambda *_: contextlib.nullcontext(self)

    def listen(self, paths: Any) -> Iterator[Any]:
        from sayso.speech.listeners import Listened, Reached
        from sayso.speech.recognizer import Heard
        from sayso.text.captions.heard_words import HeardWord

        for path in paths:
            yield Reached(path, 0.5)
            words = (HeardWord("hello", 0.0, 0.4), HeardWord(Path(path).stem, 0.4, 0.9))
            silent = Path(path).stem.startswith("hum")
            yield Listened(path, Heard(() if silent else words, None if silent else "en", 0.9, 1.0))

    def prepare(self, folder: Path) -> None:
        from speech.sounds import write_sound

        for k in range(12 * self.size):
            write_sound(
                folder / "media" / f"{k % 3}" / f"{'hum' if k % 4 == 0 else 'talk'}{k}.wav", f"{k + 5:b}"
            )

    def run(self, folder: Path) -> None:
        import sayso

        done = {path: path.stat().st_ino for path in folder.rglob("*.vtt")}
        report = sayso.transcribe([folder / "media"], model="m", processes=1)
        assert not report.failures, report.failures
        now = {path: path.stat().st_ino for path in folder.rglob("*.vtt")}
        assert done.items() <= now.items(), "a file was heard again"

    def look(self, folder: Path) -> None:
        from sayso.text import read_subtitles

        for path in folder.rglob("*.vtt"):
            assert read_subtitles(path), path

    def result(self, folder: Path) -> Any:
        noted = [
            line
            for path in folder.rglob(".sayso-listened")
            for line in path.read_text(errors="replace").splitlines()
        ]
        names = sorted({json.loads(line)["file"] for line in noted if line.endswith("}")})
        written = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.vtt")}
        return {"noted": names, "captions": written}


class Training:
    """A run of few steps with checkpoints, the best of them kept."""

    def __init__(self, size: int = 1) -> None:
        self.size = size

    def load(self) -> None:
        import torch

        torch.set_num_threads(1)
        with tempfile.TemporaryDirectory() as folder:
            self.run(Path(folder))  # which imports the rest

    def prepare(self, folder: Path) -> None:
        """Begin with nothing."""

    def run(self, folder: Path) -> None:
        from engine.training import TwoTowers
        from sayso.engine.train import Trainer
        from sayso.engine.training_config import TrainingConfig

        config = TrainingConfig(
            steps=8 * self.size,
            batch_size=8,
            lr=0.1,
            warmup=2,
            save_every=2,
            log_every=1,
            save_total_limit=2,
            workers=1,
        )

        def score(model: Any) -> dict[str, float]:
            return {"closeness": -abs(float(model.state["seen.weight"].sum()))}

        trainer = Trainer(
            TwoTowers(0.1), config, folder / "run", recipe="steps = 8\n", device="cpu", score=score
        )
        trainer.train(resume=True)

    def look(self, folder: Path) -> None:
        import torch

        run = folder / "run"
        for step in run.glob("step_*") if run.is_dir() else ():
            for name in ("state.pt", "model.pt"):
                torch.load(step / name, weights_only=True)
            json.loads((step / "data.json").read_text())
        for link in ("latest", "best"):
            if (run / link).is_symlink():
                assert (run / link / "model.pt").is_file(), f"{link} leads nowhere"

    def result(self, folder: Path) -> Any:
        import torch

        run = folder / "run"
        state = torch.load(run / "latest" / "model.pt", weights_only=True)
        weights = hashlib.sha256(b"".join(value.numpy().tobytes() for value in state.values())).hexdigest()
        lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        losses = [[line["step"], line["loss"]] for line in lines]
        links = {name: os.readlink(run / name) for name in ("latest", "best")}
        return {"weights": weights, "losses": losses, "links": links}


WORKLOADS: dict[str, type[Workload]] = {
    "index": Indexing,
    "index-again": IndexingAgain,
    "watch": Watching,
    "transcribe": Transcribing,
    "train": Training,
}
