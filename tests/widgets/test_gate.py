"""Turns at computing: the quick first, and nobody waits for ever."""

from __future__ import annotations

import threading
import time

import pytest

from augimpact.errors import Cancelled
from augimpact.widgets.gate import Gate


def never() -> bool:
    return False


def wait_for(gate: Gate, count: int) -> None:
    deadline = time.monotonic() + 10
    while len(gate._waiting) < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_quick_come_first_and_equals_in_their_order():
    gate, order = Gate(), []

    def take(name: str, rank: int) -> None:
        with gate.turn(rank, never):
            order.append(name)

    threads = []
    with gate.turn(1, never):
        for count, (name, rank) in enumerate([("sweep", 1), ("data", 2), ("frame", 0), ("second sweep", 1)], start=1):
            threads.append(threading.Thread(target=take, args=(name, rank)))
            threads[-1].start()
            wait_for(gate, count)
        order.append("first")
    for thread in threads:
        thread.join(10)
    assert order == ["first", "frame", "sweep", "second sweep", "data"]


def test_a_turn_is_handed_on_to_those_who_come_first_alone():
    gate, order = Gate(), []

    def take(name: str, rank: int) -> None:
        with gate.turn(rank, never):
            order.append(name)

    with gate.turn(1, never):
        threads = [threading.Thread(target=take, args=each) for each in (("data", 2), ("frame", 0))]
        for count, thread in enumerate(threads, start=1):
            thread.start()
            wait_for(gate, count)
        gate.hand_on(1, never)
        order.append("chunk")
        gate.hand_on(1, never)
        assert order == ["frame", "chunk"]
    for thread in threads:
        thread.join(10)
    assert order == ["frame", "chunk", "data"]


def test_who_is_cancelled_waits_no_longer_and_leaves_the_gate_open():
    gate = Gate()
    with gate.turn(0, never), pytest.raises(Cancelled), gate.turn(0, lambda: True):
        pass
    assert not gate._waiting
    with gate.turn(0, never):
        pass
