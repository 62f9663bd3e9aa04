"""The app as `augimpact app` starts it, for a test."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from augimpact.data.image import example

SECONDS = 90


class Server(NamedTuple):
    port: int
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, str]:
        """The status and the body; the path goes out as it is, dots and all."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=named)
        answer = connection.getresponse()
        status, text = answer.status, answer.read().decode(errors="replace")
        connection.close()
        return status, text

    def kernels(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [each for each in children if _is_kernel(each)]

    def wait_for_kernels(self, count: int, seconds: float = SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while len(self.kernels()) != count:
            assert time.monotonic() < deadline, f"{len(self.kernels())} kernels, not {count}:\n{self.log.read_text()}"
            time.sleep(0.1)

    def wait_for_log(self, pattern: str) -> str:
        deadline = time.monotonic() + SECONDS
        while (found := re.search(pattern, self.log.read_text())) is None:
            assert time.monotonic() < deadline, f"no {pattern!r} in the log:\n{self.log.read_text()}"
            time.sleep(0.1)
        return found[0]


def _is_kernel(process: psutil.Process) -> bool:
    try:
        return "ipykernel_launcher" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def serving(folder: Path, *options: str, code: str | None = None) -> Iterator[Server]:
    """The app with these options, from a folder with files that are nobody's business."""
    example("rocket").save(folder / "secret.png")
    open_all = {"VoilaConfiguration": {"file_allowlist": [".*"], "allow_template_override": "YES"}}
    (folder / "voila.json").write_text(json.dumps(open_all))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "log"
    start = ["-c", code] if code else ["-m", "augimpact.cli"]
    # The kernels shall find the package where this process did.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path[1:2]])}
    with log.open("w") as file:
        command = [sys.executable, *start, "app", "--port", str(port), *options]
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=folder, env=environment)
    server = Server(port, log, process)
    try:
        server.wait_for_log("running at:\nhttp://")
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)
