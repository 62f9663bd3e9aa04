"""Eight pages' kernels on one worker, as the app starts them: each sweeps, and none has torch in it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from augimpact.impact.scheduler import own_cluster
from augimpact.widgets.app import OPTIONS_VARIABLE, AppOptions

PAGES = 8
SECONDS = 120
BEGIN = """
import sys, time
from augimpact.widgets.app import app_explorer

explorer = app_explorer()


def sweep_and_preview():
    while explorer.trace is None or explorer.controls.status["kind"] != "idle":
        time.sleep(0.02)
    seen = explorer.player.preview
    state = explorer.controls.state
    explorer.controls.state = state | {"settings": state["settings"] | {"brightness": 1.5}}
    while explorer.player.preview is seen:
        time.sleep(0.002)
    return {"frames": len(explorer.trace), "tag": explorer.player.preview["tag"], "torch": "torch" in sys.modules}
"""


@contextmanager
def kernel(scheduler: str | None) -> Iterator[tuple[BlockingKernelClient, int]]:
    """A page's kernel and its process, when it has begun."""
    options = AppOptions(scheduler=scheduler)
    places = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    # As Voilà's kernels, it keeps no pictures of a page.
    environment = os.environ | {
        OPTIONS_VARIABLE: json.dumps(asdict(options)),
        "VOILA_PREHEAT": "",
        "PYTHONPATH": places,
    }
    manager, client = start_new_kernel(startup_timeout=SECONDS, env=environment)
    try:
        client.execute(BEGIN)
        yield client, manager.provisioner.pid
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def told(client: BlockingKernelClient, expression: str) -> Any:
    """What an expression comes to in the kernel."""
    reply = client.execute_interactive(
        "", user_expressions={"it": f"__import__('json').dumps({expression})"}, timeout=SECONDS,
        output_hook=lambda _message: None,
    )  # fmt: skip
    answer = reply["content"]["user_expressions"]["it"]
    assert answer["status"] == "ok", answer
    return json.loads(answer["data"]["text/plain"][1:-1])


def resident(process: int) -> float:
    """Its memory in megabytes, without what it shares with files that others have mapped as well."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:])
    return int(lines["Anonymous"].split()[0]) / 1024


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="there is no /proc to read memory from")
def test_eight_kernels_on_one_worker_sweep_without_torch_in_less_than_half_the_memory_of_a_full_one():
    began = time.monotonic()
    with ExitStack() as stack:
        scheduler = stack.enter_context(own_cluster(1)).scheduler.address
        pages = [stack.enter_context(kernel(scheduler)) for _ in range(PAGES)]
        for client, _ in pages:
            assert told(client, "sweep_and_preview()") == {"frames": 48, "tag": "brightness 1.50", "torch": False}
        light = [resident(process) for _, process in pages]
    with kernel(None) as (client, process):
        assert told(client, "sweep_and_preview()")["torch"]
        full = resident(process)
    print(f"light {light}, full {full}, {time.monotonic() - began:.0f} s")
    assert max(light) < full / 2
