"""The newest request wins, and stops the one before it."""

from __future__ import annotations

import threading
import time

from augimpact.errors import Cancelled
from augimpact.widgets.worker import Worker

PATIENCE = 10


def slow(log, name, started=None):
    def job(cancelled):
        log.append(f"{name} begins")
        if started is not None:
            started.set()
        deadline = time.monotonic() + PATIENCE
        while not cancelled():
            assert time.monotonic() < deadline
            time.sleep(0.001)
        log.append(f"{name} stops")
        raise Cancelled

    return job


def quick(log, name, done):
    def job(_cancelled):
        log.append(name)
        done.set()

    return job


def test_a_new_request_stops_the_running_one_and_replaces_those_that_wait():
    log, started, done = [], threading.Event(), threading.Event()
    worker = Worker(on_error=log.append)
    worker.submit(slow(log, "first", started))
    assert started.wait(PATIENCE)
    for index in range(50):
        worker.submit(quick(log, f"overtaken {index}", threading.Event()))
    worker.submit(quick(log, "newest", done))
    assert done.wait(PATIENCE)
    assert log[:2] == ["first begins", "first stops"]
    assert log[-1] == "newest"
    # Those between may only run if they were newest when the thread came by.
    assert len(log) < 50


def test_a_job_that_fails_is_reported_and_the_next_one_runs():
    log, done, again = [], threading.Event(), threading.Event()
    worker = Worker(on_error=lambda error: (log.append(str(error)), done.set()))

    def fails(_cancelled):
        raise ValueError("it failed")

    worker.submit(fails)
    assert done.wait(PATIENCE)
    worker.submit(quick(log, "after", again))
    assert again.wait(PATIENCE)
    assert log == ["it failed", "after"]


def test_closing_ends_the_thread():
    log, started = [], threading.Event()
    worker = Worker(on_error=log.append)
    worker.submit(slow(log, "first", started))
    assert started.wait(PATIENCE)
    thread = worker._thread
    worker.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_cancel_stops_what_runs_and_what_waits():
    log, started, done = [], threading.Event(), threading.Event()
    worker = Worker(on_error=log.append)
    worker.submit(slow(log, "first", started))
    assert started.wait(PATIENCE)
    worker.submit(quick(log, "second", threading.Event()))
    worker.cancel()
    worker.submit(quick(log, "next", done))
    assert done.wait(PATIENCE)
    assert log == ["first begins", "first stops", "next"]


def test_an_error_that_cannot_be_told_ends_nothing(caplog):
    def refuse(_error):
        raise RuntimeError("the page is gone")

    def fail(_cancelled):
        raise ValueError("no")

    worker = Worker(on_error=refuse)
    failed, done = threading.Event(), threading.Event()
    worker.submit(lambda cancelled: (failed.set(), fail(cancelled)))
    assert failed.wait(5)
    while worker.is_busy:
        time.sleep(0.001)
    worker.submit(lambda _cancelled: done.set())
    assert done.wait(5)
    worker.close()
