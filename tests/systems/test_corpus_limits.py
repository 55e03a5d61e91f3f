"""Manners on a clock that no test waits for; the ledger on a disk that a kill left behind."""

from __future__ import annotations

import io
import json
import threading
import time
from contextlib import contextmanager
from email.utils import formatdate
from itertools import pairwise
from typing import ClassVar

import pytest

from sayso.core.errors import SaysoError
from sayso.systems.corpus import HostLimits, Ledger, LedgerRow, Manners
from sayso.systems.corpus.limits import Stopped, retry_after_s
from sayso.systems.corpus.web import GaveUp, GoneForGood, Trouble, Web


class FakeTime:
    def __init__(self) -> None:
        self.at = 1_000_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def limits_on(clock, record=None, **manners) -> HostLimits:
    return HostLimits(Manners(**manners), record, clock=clock, sleep=clock.sleep)


def test_a_host_is_asked_so_often_by_all_threads_together():
    clock, starts, guard = FakeTime(), [], threading.Lock()
    limits = limits_on(clock, per_host=4)

    def ask(host):
        for _ in range(5):
            with limits.turn(host), guard:
                starts.append((host, clock()))

    threads = [threading.Thread(target=ask, args=("a",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = [at for _, at in starts]
    assert len(times) == 20
    assert min(b - a for a, b in pairwise(times)) >= 0.25 - 1e-6
    before = clock()
    ask("b")  # another host waits for nobody
    assert clock() - before == pytest.approx(4 * 0.25)


def test_one_request_at_a_time_waits_for_its_answer():
    limits, at_work, most = HostLimits(Manners(per_host=1e6)), [], []

    def ask():
        with limits.turn("a"):
            at_work.append(1)
            most.append(len(at_work))
            time.sleep(0.001)
            at_work.pop()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_waits_double_until_an_answer_comes_and_retry_after_is_obeyed(tmp_path):
    clock = FakeTime()
    limits = limits_on(clock, tmp_path / "hosts.json", per_host=1000, wait_s=2, longest_s=10)
    waits = []
    for said in (None, None, "1", None, "60", None):
        with limits.turn("a") as gate:
            limits.refused(gate, said)
        before = clock()
        with limits.turn("a"):
            waits.append(round(clock() - before))
    assert waits == [2, 4, 8, 10, 60, 10]
    with limits.turn("a") as gate:
        limits.answered(gate)
        limits.refused(gate, None)
    before = clock()
    with limits.turn("a"):
        assert clock() - before == pytest.approx(2)


def test_what_a_host_asked_for_outlives_the_process(tmp_path):
    clock = FakeTime()
    first = limits_on(clock, tmp_path / "hosts.json")
    with first.turn("b") as gate:
        first.refused(gate, "300")
    later = limits_on(clock, tmp_path / "hosts.json")
    before = clock()
    with later.turn("b") as gate:
        assert clock() - before >= 299
        later.refused(gate, None)
    assert gate.shut_until - clock() == pytest.approx(2), "the second refusal in a row"
    (tmp_path / "hosts.json").write_text("not json")
    with limits_on(clock, tmp_path / "hosts.json").turn("b"):
        pass


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("120", 120),
        (" 5 ", 5),
        (formatdate(1_000_090, usegmt=True), 90),
        (formatdate(999_000, usegmt=True), 0),
        ("soon", 0),
        ("-5", 0),
        ("Wed, 99 Foo 2026", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(said, seconds):
    assert retry_after_s(said, 1_000_000.0) == seconds


def test_attempts_end_and_what_is_gone_is_not_tried_again():
    clock = FakeTime()
    web, tries = Web(limits_on(clock, wait_s=1)), []

    def trouble():
        tries.append(1)
        raise Trouble("no connection")

    with pytest.raises(GaveUp, match="no connection") as caught:
        web.persist(trouble)
    assert (len(tries), caught.value.attempts, clock.slept) == (5, 5, [1, 2, 4, 8])

    def gone():
        tries.append(1)
        raise GoneForGood("HTTP 404")

    with pytest.raises(GoneForGood):
        web.persist(gone)
    assert len(tries) == 6
    for url in ("ftp://x/y", "file:///etc/passwd", "x.mp4"):
        with pytest.raises(GoneForGood, match="no address"):
            web.read(url)


def test_a_port_where_nobody_listens_is_tried_and_given_up():
    clock = FakeTime()
    web = Web(limits_on(clock, timeout_s=5))
    with pytest.raises(GaveUp, match="no connection"):
        web.save("http://127.0.0.1:9/x.mp4", io.BytesIO(), lambda: None)


def test_a_file_that_drips_for_ever_is_given_up(monkeypatch):
    clock = FakeTime()

    class Drip:
        headers: ClassVar[dict] = {}

        def read1(self, _):
            clock.at += 1
            return b"x" * 10

    @contextmanager
    def answer(url):
        yield Drip(), url

    web = Web(limits_on(clock, attempts=2, timeout_s=30))
    monkeypatch.setattr(web, "_answer", answer)
    with pytest.raises(GaveUp, match="too slow"):
        web.save("http://x/v.mp4", io.BytesIO(), lambda: None)
    assert 2 * 60 <= clock() - 1_000_000 <= 2 * 62 + 3


def test_no_connection_is_opened_offline(monkeypatch):
    monkeypatch.setenv("SAYSO_OFFLINE", "1")
    with pytest.raises(SaysoError, match="SAYSO_OFFLINE"):
        Web(limits_on(FakeTime())).read("http://127.0.0.1:9/")


def test_a_run_that_is_to_end_waits_no_longer():
    limits = HostLimits(Manners(per_host=1))
    with limits.turn("a") as gate:
        limits.refused(gate, "3600")
    ended = []

    def ask():
        with pytest.raises(Stopped), limits.turn("a"):
            pass
        ended.append(1)

    thread = threading.Thread(target=ask)
    thread.start()
    limits.stop.set()
    thread.join(60)
    assert ended == [1]


def test_a_ledger_keeps_all_rows_in_shards_and_drops_a_torn_line(tmp_path, caplog):
    rows = [LedgerRow("fetch", f"v{k}", "done", "", 1, f"t{k}", {"bytes": k}) for k in range(10)]
    with Ledger(tmp_path, shard=4) as ledger:
        for row in rows:
            ledger.write(row)
        assert list(ledger.rows()) == rows
        assert sorted(p.name for p in tmp_path.iterdir()) == [
            ".000002.jsonl.part",
            "000000.jsonl",
            "000001.jsonl",
        ]
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"00000{k}.jsonl" for k in range(3)]
    torn = LedgerRow("fetch", "v10", "failed", "cut off", 5, "t").line()
    (tmp_path / ".000003.jsonl.part").write_text(f"{torn}\n{torn[:9]}")
    (tmp_path / ".000004.jsonl.part").write_text(torn[:20])
    (tmp_path / "000001.jsonl").write_text((tmp_path / "000001.jsonl").read_text() + "\0\0\0\n")
    with Ledger(tmp_path, clock=lambda: 0.0) as ledger:
        read = list(ledger.rows())
        assert read[:10] == rows and [row.key for row in read[10:]] == ["v10"]
        ledger.write(LedgerRow("fetch", "v11", "done"))
    assert (tmp_path / "000003.jsonl").read_text() == f"{torn}\n"
    assert "line 5 is no row" in caplog.text
    last = json.loads((tmp_path / "000004.jsonl").read_text())
    assert last == {"stage": "fetch", "key": "v11", "status": "done", "at": "1970-01-01T00:00:00+00:00"}
