"""A Dask cluster's scheduler: reached at its address, or started here beside workers of its own. Imports no torch."""

from __future__ import annotations

import atexit
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from distributed import Client, LocalCluster
from distributed.diagnostics.plugin import WorkerPlugin

from augimpact.errors import ModelError

__all__ = ["PATIENCE", "connect", "own_cluster"]

# Seconds that are waited for a scheduler, and for its first worker.
PATIENCE = 30
# What Dask's nanny sets so that a worker gives freed memory back at once; torch then clears the same pages over and
# over. A gigabyte may stay.
KEPT = {"MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_MMAP_THRESHOLD_": str(1 << 30)}
# As in the app's kernels: threads that wait for work by spinning take the cores from those that have some.
SELDOM = {"GOMP_SPINCOUNT": "1000"}


class QuickExit(WorkerPlugin):  # type: ignore[misc]
    """A worker that has closed is gone at once.

    To take down an interpreter that has torch in it takes seconds, more than a nanny waits where many end together: it
    then kills the process and says so. There is nothing to take down: the worker has closed its connections and removed
    its folder before.
    """

    name = "quick-exit"

    def setup(self, worker: Any) -> None:  # noqa: ARG002 - Dask calls it so
        """Only of a process that is the worker's own."""
        if multiprocessing.parent_process() is not None:
            atexit.register(os._exit, 0)


def connect(address: str, patience: float = PATIENCE) -> Client:
    """A client of the scheduler at an address, such as `tcp://10.0.0.1:8786`; to be closed, or used in a `with`.

    Raises:
        ModelError: there is none that answers within so many seconds.
    """
    try:
        return Client(address, timeout=patience, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ModelError(f"no scheduler answers at {address!r}; expected its address, as tcp://HOST:8786") from error


@contextmanager
def own_cluster(workers: int, threads: int | None = None) -> Iterator[Client]:
    """A cluster of processes on this machine, and a client of it; freed memory stays with them.

    Args:
        workers: how many processes.
        threads: of torch in each; by default the cores are shared out.
    """
    import dask

    each = threads or max(1, (os.cpu_count() or 1) // workers)
    counts = {name: str(each) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    environment = KEPT | SELDOM | counts
    with (
        _restored((*environment, "PYTHONHASHSEED")),
        dask.config.set({"distributed.nanny.pre-spawn-environ": environment}),
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        client.register_plugin(QuickExit())
        yield client


@contextmanager
def _restored(names: Iterable[str]) -> Iterator[None]:
    """These variables of this process are as before when the block ends: a nanny sets them here for its worker."""
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
