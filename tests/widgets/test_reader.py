"""The thread that reads files for a page."""

from __future__ import annotations

import threading

from augimpact.errors import UserError
from augimpact.widgets.reader import MOST_WAITING, Reader


def test_tasks_run_in_their_order_and_a_failure_is_told():
    errors, done, end = [], [], threading.Event()
    reader = Reader(on_error=errors.append)
    reader.submit(done.append, 1)
    reader.submit(int, "no number")
    reader.submit(done.append, 2)
    reader.submit(end.set)
    assert end.wait(5)
    assert done == [1, 2]
    assert [type(each) for each in errors] == [ValueError]
    reader.close()


def test_more_than_can_wait_are_refused():
    errors, go_on = [], threading.Event()
    reader = Reader(on_error=errors.append)
    for _ in range(MOST_WAITING + 2):
        reader.submit(go_on.wait)
    assert [type(each) for each in errors] == [UserError, UserError]
    go_on.set()
    reader.close()
