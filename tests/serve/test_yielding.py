"""Threads that make way: their own niceness alone, as many as were asked for, whole when cancelled."""

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from sayso.serve.yielding import NICE, YieldingThreads


def run(main):
    """Run a coroutine in a thread of its own: a browser's tests leave a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, main).result()


def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no niceness of their own here")
def test_only_they_make_way():
    before = niceness()
    assert run(YieldingThreads(1).run(niceness)) == min(19, before + NICE)
    assert niceness() == before


def test_no_more_run_at_once_and_errors_come_out():
    running, most, turn = 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=60)

    def work():
        nonlocal running, most
        with turn:
            running += 1
            most = max(most, running)
        both.wait()
        with turn:
            running -= 1

    async def main():
        threads = YieldingThreads(2)
        await asyncio.gather(*(threads.run(work) for _ in range(6)))
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda: 1 // 0)

    run(main())
    assert most == 2


def test_who_is_cancelled_goes_on_when_the_work_has_ended():
    begun, may_end, seen = threading.Event(), threading.Event(), []

    def work():
        begun.set()
        assert may_end.wait(60)
        seen.append("work")

    async def main():
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:

                async def cancel():
                    await anyio.to_thread.run_sync(begun.wait)
                    scope.cancel()
                    may_end.set()

                group.start_soon(cancel)
                await YieldingThreads(1).run(work)
                await anyio.sleep(0)
                seen.append("not cancelled")

    run(main())
    assert seen == ["work"]


def test_elsewhere_no_process_with_the_number_of_a_thread_is_touched(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    before = niceness()
    assert run(YieldingThreads(1).run(niceness)) == before
