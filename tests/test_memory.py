"""What a process keeps, seen from its page faults; and that a library does not decide it."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
import augimpact as ai
from augimpact.memory import memory_is_kept
if sys.argv[1] == "keep":
    assert ai.keep_freed_memory() and ai.keep_freed_memory()
assert memory_is_kept() == (sys.argv[1] == "keep")
def work():
    for _ in range(40):
        torch.ones(100_000_000, dtype=torch.uint8)
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc's malloc is told")
def test_memory_that_was_freed_is_not_asked_of_the_system_again():
    def faults(way):
        command = [sys.executable, "-c", FAULTS, way]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    # Not none: now and then a small block settles where a large one was, and the next large one needs another place.
    assert faults("keep") < faults("leave") / 4
