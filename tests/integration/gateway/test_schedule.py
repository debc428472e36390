"""The local schedule: it invokes a function again and again, whatever the function does, until the stack ends."""

from __future__ import annotations

from threading import Event, Semaphore
from typing import Any

from local import schedule

TIMEOUT = 15


def test_a_function_is_invoked_again_and_again_with_the_event() -> None:
    invoked = Semaphore(0)
    calls: list[tuple[str, dict[str, Any]]] = []

    def invoke(name: str, event: dict[str, Any]) -> None:
        calls.append((name, event))
        invoked.release()

    with schedule.running(invoke, "ResolveFunction", {"sweep": True}, 0.01):
        for _ in range(3):
            assert invoked.acquire(timeout=TIMEOUT)
    assert calls[:3] == [("ResolveFunction", {"sweep": True})] * 3


def test_a_function_that_raises_is_invoked_again() -> None:
    invoked = Semaphore(0)

    def invoke(_name: str, _event: dict[str, Any]) -> None:
        invoked.release()
        raise RuntimeError

    with schedule.running(invoke, "ResolveFunction", {}, 0.01):
        for _ in range(3):
            assert invoked.acquire(timeout=TIMEOUT)


def test_two_invocations_do_not_run_at_once() -> None:
    running, most = 0, 0
    ended = Semaphore(0)

    def invoke(_name: str, _event: dict[str, Any]) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        Event().wait(0.02)
        running -= 1
        ended.release()

    with schedule.running(invoke, "ResolveFunction", {}, 0.001):
        for _ in range(3):
            assert ended.acquire(timeout=TIMEOUT)
    assert most == 1


def test_the_stack_can_end_while_an_invocation_runs() -> None:
    began, release = Event(), Event()

    def invoke(_name: str, _event: dict[str, Any]) -> None:
        began.set()
        release.wait(TIMEOUT)

    with schedule.running(invoke, "ResolveFunction", {}, 0.001):
        assert began.wait(TIMEOUT)
    assert not release.is_set()
    release.set()
