"""The kernels behind the app's pages: each ends with its page, and one may wait, ready, for the next visitor."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.ioloop import PeriodicCallback
from traitlets import Integer

__all__ = ["PageKernels"]

# A page says goodbye when it is closed. One that crashed or lost its network cannot; it may come back this soon.
GRACE_SECONDS = 30.0
FAREWELL_SECONDS = 1.0
# From the answer to the first message of a page, over a slow network.
FIRST_VISIT_SECONDS = 40.0
LOOK_SECONDS = 5.0
# What Python's own logging writes there reaches the server's log; by default it would go to the page.
ARGUMENTS = ["--IPKernelApp.capture_fd_output=False", "--HistoryManager.enabled=False"]
# OpenMP's threads wait for work by spinning and take the cores from other pages' threads: two sweeps at once then take
# twice as long each. Not to spin at all would double the time of a single frame; a thousand turns cost neither.
ENVIRONMENT = {"GOMP_SPINCOUNT": "1000", "JUPYTER_WIDGETS_ECHO": "0"}


class PageKernels(AsyncMappingKernelManager):
    """Starts kernels for pages, and ends those whose page is gone; Voilà keeps the waiting ones in a pool above it.

    Attributes:
        arriving: requests for a page that were let in and whose kernel does not run yet.
    """

    max_pages = Integer(16, config=True, help="So many pages have a kernel at once; the waiting one is not counted.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # When each kernel was last known to be of use, by the monotonic clock.
        self._last_seen: dict[str, float] = {}
        self._visited: set[str] = set()
        self.arriving: set[Any] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._looking = PeriodicCallback(self.end_abandoned, 1000 * LOOK_SECONDS)

    async def start_kernel(self, **kwargs: Any) -> str:
        """A new kernel's id."""
        if not self._looking.is_running():
            self._looking.start()
        environment = ENVIRONMENT | dict(kwargs.pop("env", None) or os.environ)
        kernel_id: str = await super().start_kernel(extra_arguments=ARGUMENTS, env=environment, **kwargs)
        self._last_seen[kernel_id] = time.monotonic()
        return kernel_id

    def count_pages(self) -> int:
        """How many pages have a kernel, or were promised one."""
        # One that died was removed without being shut down.
        living = {kernel_id for kernel_id in self._last_seen if kernel_id in self}
        return len(living - self._waiting_ids()) + len(self.arriving)

    async def shutdown_kernel(self, kernel_id: str, now: bool = False, restart: bool = False) -> None:  # noqa: ARG002
        """Ends a kernel at once: it has nothing to save, and what it computes may take long."""
        self._forget(kernel_id)
        await super().shutdown_kernel(kernel_id, now=True, restart=restart)

    def notify_connect(self, kernel_id: str) -> None:
        """A page is there."""
        self._visited.add(kernel_id)
        super().notify_connect(kernel_id)

    def notify_disconnect(self, kernel_id: str) -> None:
        """A page is gone, or cut off."""
        if kernel_id in self:
            self._last_seen[kernel_id] = time.monotonic()
        super().notify_disconnect(kernel_id)

    def end_soon(self, kernel_id: str) -> None:
        """Ends the kernel of a page that was left, unless another connection to it is there in a moment."""

        async def end() -> None:
            await asyncio.sleep(FAREWELL_SECONDS)
            if kernel_id in self and not self.kernel_model(kernel_id)["connections"]:
                await self.shutdown_kernel(kernel_id)

        task = asyncio.get_running_loop().create_task(end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def end_abandoned(self) -> None:
        """Ends the kernels whose page has been gone for a while, or never came; replaces waiting ones that died."""
        await self.drop_dead()
        waiting = self._waiting_ids()
        now = time.monotonic()
        # A kernel that is just being started is not among these.
        for kernel_id in list(self._last_seen):
            # Gone while another was ended, or died and was removed without being shut down.
            if kernel_id not in self:
                self._forget(kernel_id)
                continue
            if kernel_id in waiting or self.kernel_model(kernel_id)["connections"] > 0:
                self._last_seen[kernel_id] = now
            patience = GRACE_SECONDS if kernel_id in self._visited else FIRST_VISIT_SECONDS
            if now - self._last_seen[kernel_id] > patience:
                self.log.info("The page of kernel %s is gone.", kernel_id)
                await self.shutdown_kernel(kernel_id)

    async def drop_dead(self) -> None:
        """Takes kernels that died while they waited out of Voilà's pool, and has new ones started in their place."""
        for notebook, pool in self._waiting().items():
            for task in list(pool):
                if task.done() and not await self._lives(task):
                    self.log.warning("A waiting kernel has died; another takes its place.")
                    # The pool may have changed meanwhile.
                    if task in pool:
                        pool.remove(task)
            self.fill_if_needed(notebook_name=notebook)

    async def _lives(self, task: Any) -> bool:
        if task.cancelled() or task.exception() is not None:
            return False
        kernel_id = task.result()["kernel_id"]
        return kernel_id in self and bool(await self.get_kernel(kernel_id).is_alive())

    def _forget(self, kernel_id: str) -> None:
        self._last_seen.pop(kernel_id, None)
        self._visited.discard(kernel_id)

    def _waiting_ids(self) -> set[str]:
        done = [task for pool in self._waiting().values() for task in pool if task.done()]
        return {task.result()["kernel_id"] for task in done if not task.cancelled() and task.exception() is None}

    def _waiting(self) -> dict[str, list[Any]]:
        """Voilà's tasks, by notebook, each of which starts a kernel that waits; none where it keeps no pool."""
        return getattr(self, "_pools", {})
