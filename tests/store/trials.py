"""What a training set has to bear: many that write and read at once, and being killed.

The tests try it, and a benchmark. What is wrong is an AssertionError.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from threading import Event
from typing import NamedTuple

import numpy as np

from augimpact.profiling.ahead import WAITING
from augimpact.store import feeding
from augimpact.store.catalog import Catalog

OWNER = "ann"
AT_ONCE, PAIRS, PART = 8, 40, 10
FEEDER = """
import sys, numpy as np
from augimpact.store import feeding
from augimpact.store.catalog import Catalog
url, root, number, seed, feeding.PART_ROWS = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])
made = Catalog(url, root, owner="ann").from_id(int(number))
generator = np.random.default_rng(seed)
def pairs():
    for count in range(100_000):
        yield np.full((3, 32, 32), count % 251, np.uint8) ^ generator.integers(0, 2, (3, 32, 32), np.uint8), [count % 2]
        print(count, flush=True)
made.feed(pairs())
"""


class Killed(NamedTuple):
    """Of one that was killed: how many pairs it had taken when it was, and how many of them are there."""

    taken: int
    kept: int


def write_some(url: str, root: Path, number: int, seed: int) -> int:
    feeding.PART_ROWS = 5
    with Catalog(url, root, owner=OWNER).from_id(number) as made:
        made.feed([(np.full((1, 8, 8), seed * 100 + count, np.uint16), [count % 2]) for count in range(PAIRS)])
    return seed


def read_some(url: str, root: Path, number: int, all_written: Event) -> int:
    """Reads again and again, until all is written; what is seen is right, and never becomes less."""
    reader, seen, ended = Catalog(url, root, owner=OWNER).from_id(number), 0, False
    while not ended:
        ended = all_written.wait(0.1)
        reader.refresh()
        assert len(reader) >= seen
        seen = len(reader)
        for place in range(0, seen, 7):
            value = int(reader[place].array()[0, 0, 0])
            assert (reader[place].array() == value).all()
            assert reader[place].y.tolist() == [value % 100 % 2]
    return seen


def write_and_read_at_once(url: str, root: Path) -> int:
    """Eight processes write and eight threads read; how many pairs are there then, each of which is there once."""
    made = Catalog(url, root, owner=OWNER).create("many", classes=["x"])
    arguments, all_written = (url, root, made.id), Event()
    writers = ProcessPoolExecutor(AT_ONCE, mp_context=get_context("spawn"))
    with ThreadPoolExecutor(AT_ONCE) as readers, writers:
        read = [readers.submit(read_some, *arguments, all_written) for _ in range(AT_ONCE)]
        written = [writers.submit(write_some, *arguments, seed) for seed in range(AT_ONCE)]
        try:
            assert [each.result(timeout=120) for each in written] == list(range(AT_ONCE))
        finally:
            all_written.set()
        assert [each.result(timeout=120) for each in read] == [AT_ONCE * PAIRS] * AT_ONCE
    values = sorted(int(pair.array()[0, 0, 0]) for pair in made.refresh()[:])
    assert values == sorted(seed * 100 + count for seed in range(AT_ONCE) for count in range(PAIRS))
    return len(values)


def kill_while_feeding(url: str, root: Path, moments: int = 10) -> list[Killed]:
    """One after the other feeds a set, and is killed at a drawn moment; the set opens, and every part is whole."""
    made = Catalog(url, root, owner=OWNER).create("killed", classes=["x"])
    draw, rows, found = random.Random(0), 0, []
    for seed in range(moments):
        arguments = [sys.executable, "-c", FEEDER, url, str(root), str(made.id), str(seed), str(PART)]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        time.sleep(draw.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        told = max((int(line) for line in process.stdout.read().split("\n")[:-1] if line.isdigit()), default=0)
        process.wait()
        opened = Catalog(url, root, owner=OWNER).from_id(made.id)
        new = len(opened) - rows
        # All that was told but the last part, and what is being packed; each whole and in its place.
        assert told - PART - WAITING * (os.cpu_count() or 1) - 1 <= new <= told + PART
        assert new % PART == 0
        for number in range(rows, len(opened)):
            assert (opened[number].array() >> 1 == (number - rows) % 251 >> 1).all()
            assert opened[number].y.tolist() == [(number - rows) % 2]
        rows = len(opened)
        found.append(Killed(told, new))
    assert rows > 0
    with Catalog(url, root, owner=OWNER).from_id(made.id) as again:
        again.feed([(np.zeros((3, 32, 32), np.uint8), [1])])
    assert len(again.refresh()) == rows + 1
    return found
