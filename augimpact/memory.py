"""Memory that stays at hand: on Linux a CPU otherwise spends a third of its time on getting the same pages again."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["keep_freed_memory", "memory_is_kept", "release_freed_memory"]

# From glibc's malloc.h.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
KEPT = 1 << 30

# What is remembered here is not ours but the process's: there is one malloc in it, and it cannot be asked.
_done = False


def keep_freed_memory() -> bool:
    """Lets this process keep up to a gigabyte of freed memory for its next use, and says whether it could.

    A forward pass allocates and frees tensors of some ten megabytes over and over. By default glibc gives such blocks
    back to the system at once, which then clears every page before it hands it out again; a network on two CPU cores
    can take twice as long (`python -m benchmarks.memory`). The command line and the app call this for their own
    processes. A library must not do so unasked: in a process of yours it is for you to call.
    """
    global _done
    if sys.platform.startswith("linux") and not _done:
        try:
            mallopt = ctypes.CDLL(None).mallopt
        except (AttributeError, OSError):
            return False
        # Another arena than the first gives its memory back whatever the thresholds are, so that threads share it.
        wanted = ((M_TRIM_THRESHOLD, KEPT), (M_MMAP_THRESHOLD, KEPT), (M_ARENA_MAX, 1))
        _done = all(mallopt(*each) for each in wanted)
    return _done


def memory_is_kept() -> bool:
    """Whether `keep_freed_memory` was called and could do what it says."""
    return _done


def release_freed_memory() -> None:
    """Gives what `keep_freed_memory` has kept back to the system, in some 50 ms; what comes next gets it anew."""
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
