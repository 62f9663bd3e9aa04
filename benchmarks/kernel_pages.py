"""A page of the app without its page: the kernel that the app would start, driven from here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from augimpact.augment.plugins import PLUGINS_VARIABLE
from augimpact.widgets.app import OPTIONS_VARIABLE, AppOptions

SECONDS = 240
BEGIN = """
import sys, time
from augimpact.widgets.app import app_explorer

explorer = app_explorer()


def rest():
    while explorer.trace is None or explorer.controls.status["kind"] != "idle":
        time.sleep(0.02)
    return len(explorer.trace)


def change(**choices):
    explorer.controls.state = explorer.controls.state | choices


def preview(brightness):
    '''The milliseconds from a slider's message to the picture that goes out for it.'''
    seen, began = explorer.player.preview, time.perf_counter()
    change(settings=explorer.controls.state["settings"] | {"brightness": brightness})
    while explorer.player.preview is seen:
        time.sleep(0.001)
    return 1000 * (time.perf_counter() - began)


def sweep():
    change(sweeps=explorer.controls.state["sweeps"] + 1)


def swept():
    shown = explorer.trace
    began = time.perf_counter()
    sweep()
    while explorer.trace is shown:
        time.sleep(0.005)
    return time.perf_counter() - began
"""


@contextmanager
def kernel(scheduler: str | None) -> Iterator[tuple[BlockingKernelClient, int]]:
    """A page's kernel, which begins, and its process."""
    options = AppOptions(scheduler=scheduler)
    places = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    # As Voilà's kernels, it keeps no pictures of a page; as the app's, its OpenMP does not spin.
    own = {OPTIONS_VARIABLE: json.dumps(asdict(options)), "VOILA_PREHEAT": "", "GOMP_SPINCOUNT": "1000"}
    # Plugins of who asks would come along, and may bring torch with them.
    inherited = {name: value for name, value in os.environ.items() if name != PLUGINS_VARIABLE}
    environment = inherited | own | {"PYTHONPATH": places}
    manager, client = start_new_kernel(startup_timeout=SECONDS, env=environment)
    try:
        client.execute(BEGIN)
        yield client, manager.provisioner.pid
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def asked(client: BlockingKernelClient, expression: str) -> str:
    """Has a kernel find out what an expression comes to, which must be JSON; see `told`."""
    expressions = {"it": f"__import__('json').dumps({expression})"}
    return str(client.execute("", user_expressions=expressions))


def told(client: BlockingKernelClient, request: str) -> Any:
    """The answer to what was asked."""
    while True:
        reply = client.get_shell_msg(timeout=SECONDS)
        if reply["parent_header"].get("msg_id") == request:
            answer = reply["content"]["user_expressions"]["it"]
            assert answer["status"] == "ok", answer
            return json.loads(answer["data"]["text/plain"][1:-1])


def resident(process: int) -> float:
    """The megabytes that a process has for itself: not what is in files that others map as well."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:])
    return int(lines["Anonymous"].split()[0]) / 1024
