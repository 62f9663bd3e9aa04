"""Eight pages' kernels on one worker, as the app starts them: each sweeps, and none has torch in it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from augimpact.impact.scheduler import own_cluster
from tests.kernel_pages import asked, kernel, resident, told

PAGES = 8
SEEN = "[rest(), preview(1.5) > 0, explorer.player.preview['tag'], 'torch' in sys.modules]"


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="there is no /proc to read memory from")
def test_eight_kernels_on_one_worker_sweep_without_torch_in_less_than_half_the_memory_of_a_full_one():
    with ExitStack() as stack:
        scheduler = stack.enter_context(own_cluster(1)).scheduler.address
        pages = [stack.enter_context(kernel(scheduler)) for _ in range(PAGES)]
        requests = [asked(client, SEEN) for client, _ in pages]
        for (client, _), request in zip(pages, requests, strict=True):
            assert told(client, request) == [48, True, "brightness 1.50", False]
        light = [resident(process) for _, process in pages]
    with kernel(None) as (client, process):
        assert told(client, asked(client, SEEN)) == [48, True, "brightness 1.50", True]
        full = resident(process)
    assert max(light) < full / 2
