"""The kernels behind the app's pages, without a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from augimpact.widgets import kernels
from augimpact.widgets.kernels import PageKernels
from tests.awaiting import run


@asynccontextmanager
async def ended(manager: PageKernels) -> AsyncIterator[PageKernels]:
    """Ends all kernels with the block, and what is connected to them.

    A manager does so itself when it is garbage, but may have lost sight of its sockets by then, and would wait for them
    for ever, at the end of the whole run.
    """
    try:
        yield manager
    finally:
        await manager.shutdown_all(now=True)
        manager.context.destroy(linger=0)


class Leaving(PageKernels):
    """While it ends a kernel whose page never came, the page of the next one is closed."""

    async def shutdown_kernel(self, kernel_id: str, now: bool = False, restart: bool = False) -> None:
        others = [other for other in self.list_kernel_ids() if other != kernel_id]
        if len(others) == 2:
            await super().shutdown_kernel(others[0])
        await super().shutdown_kernel(kernel_id, now, restart)


def test_abandoned_kernels_end_though_another_goes_meanwhile(monkeypatch):
    async def end_three() -> tuple[list[str], int]:
        async with ended(Leaving()) as manager:
            for _ in range(3):
                await manager.start_kernel(kernel_name="python3")
            monkeypatch.setattr(kernels, "FIRST_VISIT_SECONDS", 0.0)
            await manager.end_abandoned()
            return manager.list_kernel_ids(), manager.count_pages()

    assert run(end_three()) == ([], 0)


def test_a_kernel_that_died_counts_no_more(monkeypatch):
    async def remove_one() -> list[int]:
        monkeypatch.setattr(kernels, "FIRST_VISIT_SECONDS", 3600.0)
        async with ended(PageKernels()) as manager:
            ids = [await manager.start_kernel(kernel_name="python3") for _ in range(2)]
            counts = [manager.count_pages()]
            await manager.get_kernel(ids[0]).shutdown_kernel(now=True)
            # What the server does with one that died.
            manager.remove_kernel(ids[0])
            counts.append(manager.count_pages())
            await manager.end_abandoned()
            return [*counts, manager.count_pages(), len(manager.list_kernel_ids())]

    assert run(remove_one()) == [2, 1, 1, 1]
