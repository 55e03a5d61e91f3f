"""A corpus that is made in another process and killed; the ledger and the funnel as a stranger reads them."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from video_host import VideoHost


def counted(funnel) -> dict:
    """The funnel in the shape of ``expected_funnel``."""
    found = {}
    for name, stage in funnel.stages.items():
        reasons = {(status, why): n for status, whys in stage.lost.items() for why, n in whys.items()}
        notes = {("done", why): n for why, n in stage.notes.items()}
        silent = stage.notes.get("silent", 0)
        plain = stage.done + silent - sum(stage.notes.values())
        found[name] = Counter(reasons | notes | {("done", ""): plain})
    return found | {"clips": funnel.clips}


def ledger_rows(folder: Path) -> list[dict]:
    """The ledger as a stranger reads it."""
    shards = sorted((folder / "ledger").glob("*.jsonl")) + sorted((folder / "ledger").glob(".*.part"))
    lines = [line for shard in shards for line in shard.read_text().splitlines(keepends=True)]
    return [
        {"attempts": 0, "why": "", "facts": {}} | json.loads(line) for line in lines if line.endswith("\n")
    ]


def last_rows(folder: Path) -> dict:
    """(stage, key) -> status, reason, facts: what must not depend on kills."""
    return {
        (row["stage"], row["key"]): (row["status"], row["why"], json.dumps(row["facts"], sort_keys=True))
        for row in ledger_rows(folder)
    }


class Kills:
    """Runs a corpus in another process, kills it, and holds the site's log against what was finished then."""

    def __init__(self, site: VideoHost, folder: Path, command: list[str]) -> None:
        self.site, self.folder, self.command = site, folder, command
        self.twice: list[str] = []
        self.kills = 0

    def run(self, requests: int | None) -> bool:
        """Run to the end, or until the site was asked so many more times; say whether it was killed."""
        finished, before = self.finished(), len(self.site.log)
        self.site.hold_after = None if requests is None else before + requests + 4
        process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while process.poll() is None and (requests is None or len(self.site.log) < before + requests):
            time.sleep(0.002)
        killed = process.poll() is None
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[1]
        assert killed or process.returncode in (0, 3), said.decode()
        self.twice += [path for path, _ in self.site.log[before:] if path in finished]
        self.kills += killed
        hosts = self.folder / "hosts.json"
        known = json.loads(hosts.read_text()) if hosts.is_file() else {}
        self.site.killed(max((until for until, _ in known.values()), default=0.0))
        return killed

    def finished(self) -> set[str]:
        """What the site must not be asked for again: files that are whole, and what the ledger says."""
        names = {path.name for path in self.folder.rglob("*") if not path.name.startswith(".")}
        paths = {f"/v/{name}" for name in names if name.endswith(".mp4")}
        paths |= {f"/c/{name.replace('.en', '')}" for name in names if name.endswith(".vtt")}
        for row in ledger_rows(self.folder):
            if row["stage"] == "captions":
                paths.add(f"/watch/{row['key']}")
            if row["stage"] == "fetch":
                paths.add(f"/v/{row['key']}.mp4")
        return paths
