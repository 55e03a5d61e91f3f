"""Many clients at once against ``sayso serve``: what is answered, how late, and how much memory it takes.

    python benchmarks/serve_load.py INDEX [--clients 200] [--seconds 300]

The server runs in a process of its own, as a person starts it. Each client does again and again what a page
does: mostly searches, also thumbnails, files, timelines, uploads; some watch a stream and stall. Exit 0 only
if there is no 5xx but 503, p95 of the answered searches is at most 1 s, and memory never exceeds 1.5 GB.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import random
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
from PIL import Image

MOST_MB = 1500.0
MOST_S = 1.0
WORDS = ["red", "dog", "beach", "piano", "night", "snow", "car", "people", "water", "green", "talk"]


def memory_mb(pid: int, field: str) -> float:
    """Return VmRSS or VmHWM of a process, MB."""
    match = re.search(rf"{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(match[1]) / 1024 if match else 0.0


def threads(pid: int) -> int:
    """Return how many threads a process has."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def _client(url: str) -> httpx.AsyncClient:
    """Return one of its own: one that many share looks through all connections at each request."""
    return httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, verify=False)


class Load:
    """What the clients saw.

    Args:
        files: ids of files of the index.
        clips: ids of clips.
        until: when they end, by the monotonic clock, seconds.
    """

    def __init__(self, files: list[str], clips: list[str], until: float) -> None:
        self.files, self.clips, self.until = files, clips, until
        self.status: Counter[int] = Counter()
        self.search_s: list[float] = []
        picture = io.BytesIO()
        Image.new("RGB", (1600, 1200), (200, 40, 40)).save(picture, "JPEG")
        self.picture = picture.getvalue()

    async def client(self, url: str, seed: int) -> None:
        """Ask until it is time to end; who is told to come again waits as long as it is told."""
        async with _client(url) as http:
            await self._go_on(http, random.Random(seed))

    async def _go_on(self, http: httpx.AsyncClient, rng: random.Random) -> None:
        while time.monotonic() < self.until:
            try:
                answer = await self._ask(http, rng)
            except httpx.HTTPError as error:
                self.status[-1] += 1
                print(f"no answer: {error!r}", file=sys.stderr)
                continue
            self.status[answer.status_code] += 1
            await asyncio.sleep(float(answer.headers.get("retry-after", 0)) or rng.uniform(0.5, 2.0))

    async def _ask(self, http: httpx.AsyncClient, rng: random.Random) -> httpx.Response:
        what = rng.random()
        if what < 0.5:
            words = " ".join(rng.sample(WORDS, 2))
            began = time.monotonic()
            answer = await http.get("/api/search", params={"q": words})
            if answer.status_code == 200:
                self.search_s.append(time.monotonic() - began)
            return answer
        if what < 0.8:
            return await http.get(f"/thumb/{rng.choice(self.clips)}")
        if what < 0.88:
            return await http.get(f"/media/{rng.choice(self.files)}", headers={"range": "bytes=0-262143"})
        if what < 0.93:
            return await http.get("/api/timeline")
        if what < 0.96:
            return await http.post("/api/search/image", files={"picture": self.picture})
        async with http.stream("GET", f"/play/{rng.choice(self.files)}") as watched:
            if watched.status_code == 200:
                await asyncio.sleep(rng.uniform(1, 10))  # a viewer who takes nothing
            return watched


async def run(url: str, pid: int, clients: int, seconds: float) -> bool:
    """Let the clients loose on a server, print what they saw, and tell whether it kept to its targets."""
    async with _client(url) as http:
        (await http.get("/api/search", params={"q": "warm up"})).raise_for_status()
        before = memory_mb(pid, "VmRSS")
        files = (await http.get("/api/timeline/files", params={"limit": 100})).json()["files"]
        clips = [one["thumb"].rpartition("/")[2] for one in files]
        load = Load([one["media_id"] for one in files], clips, time.monotonic() + seconds)
        await asyncio.gather(*(load.client(url, k) for k in range(clients)))
    peak, at_end = memory_mb(pid, "VmHWM"), threads(pid)
    await asyncio.sleep(30)
    after = memory_mb(pid, "VmRSS")
    found = sorted(load.search_s)
    p50, p95 = (found[int(share * (len(found) - 1))] for share in (0.5, 0.95))
    print(f"answers: {dict(sorted(load.status.items()))}")
    print(f"searches: {len(found)} answered, p50 {p50:.3f} s, p95 {p95:.3f} s, longest {found[-1]:.3f} s")
    print(f"memory: {before:.0f} MB before, {peak:.0f} MB at most, {after:.0f} MB 30 s after the last")
    print(f"threads: {at_end} under load, {threads(pid)} after")
    failed = sum(n for status, n in load.status.items() if status < 0 or (status >= 500 and status != 503))
    return not failed and p95 <= MOST_S and peak <= MOST_MB


def main() -> int:
    """Start a server, load it, and end it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("index")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300.0)
    given = parser.parse_args()
    command = [sys.executable, "-u", "-m", "sayso", "serve", given.index]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            for line in server.stdout or ():
                found = re.search(r"http://\S+", line)
                if found:
                    break
            else:
                raise SystemExit("the server did not start")
            good = asyncio.run(run(found[0].rstrip("/"), server.pid, given.clients, given.seconds))
        finally:
            server.terminate()
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
