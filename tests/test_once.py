from __future__ import annotations

import threading

from augimpact.once import once


class Slow:
    both = threading.Barrier(2)

    @once
    def number(self) -> int:
        """A number."""
        self.both.wait(timeout=20)
        return 7


def test_threads_that_compute_it_of_different_objects_do_not_wait_for_each_other():
    found = []
    threads = [threading.Thread(target=lambda: found.append(Slow().number)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [7, 7]


def test_it_is_kept_and_keeps_its_words():
    class Counting:
        asked = 0

        @once
        def number(self) -> int:
            """A number."""
            self.asked += 1
            return self.asked

    first, second = Counting(), Counting()
    assert (first.number, first.number, second.number) == (1, 1, 1)
    assert Counting.number.__doc__ == "A number."
