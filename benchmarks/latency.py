"""How quick the page is, in a real Chromium: first paint, first explained frame, and from slider event to new pixels.

    python -m benchmarks.latency [--rounds 5] [--steps 40]

Voilà serves the app on this machine; every round opens a fresh page with a kernel of its own, once started when the
page asks for it (cold), once kept waiting by Voilà (warm). The bare forward pass of one frame is measured in the same
run, while no page computes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import torch
from playwright.sync_api import Page, sync_playwright

import augimpact as ai
from augimpact.models.hooks import evaluating
from benchmarks.timing import keep, machine, table

PORT = 18867
ADDRESS = f"http://127.0.0.1:{PORT}/"
SERVE = (
    "from augimpact.widgets import app; "
    "app.SETTINGS['VoilaConfiguration'] |= {{'preheat_kernel': {warm}}}; app.start(port={port})"
)
# Moves a slider and waits for the picture that shows its value, again and again.
DRAG = """async (values) => {
  const slider = document.querySelector(".row[data-name=brightness] input");
  const tag = () => document.querySelector(".screen:nth-child(2) .tag").textContent;
  const times = [];
  for (const value of values) {
    const began = performance.now();
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    while (!tag().includes(`brightness ${value.toFixed(2)}`)) await new Promise(requestAnimationFrame);
    times.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return times;
}"""
EXPLAINED = "document.querySelector('.screen:nth-child(2) .caption b')?.textContent"
SWEPT = r"/^\d+ frames/.test(document.querySelector('.message')?.textContent ?? '')"


def answers() -> bool:
    """Whether the server is there; a file that it does not have starts no kernel."""
    try:
        urlopen(f"{ADDRESS}static/", timeout=1).close()
    except HTTPError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def served(warm: bool) -> Iterator[None]:
    """The app, until the block ends; a warm one has had time to start its first kernel."""
    command = [sys.executable, "-c", SERVE.format(warm=warm, port=PORT)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers():
            time.sleep(0.1)
        yield
    finally:
        server.terminate()
        server.wait()


def seconds_until_ready(page: Page) -> tuple[float, float]:
    """Until the controls are painted, and until the first frame is explained."""
    began = time.perf_counter()
    page.goto(ADDRESS, wait_until="commit")
    page.locator(".controls").wait_for()
    painted = time.perf_counter() - began
    page.wait_for_function(EXPLAINED)
    return painted, time.perf_counter() - began


def forward_pass() -> float:
    """The median milliseconds of one frame through the built-in classifier."""
    classifier = ai.load_classifier(device="cpu")
    batch = torch.rand(1, 3, 224, 224).contiguous(memory_format=torch.channels_last)
    times = []
    with torch.inference_mode(), evaluating(classifier.module):
        for _ in range(60):
            began = time.perf_counter()
            classifier.module(batch)
            times.append(time.perf_counter() - began)
    return statistics.median(times[10:]) * 1000


def measure(warm: bool, rounds: int, steps: int) -> dict[str, float]:
    ready, drags = [], []
    # Places that the slider has, two of its steps apart, so that they are whole hundredths; never one twice in a row.
    places = np.random.default_rng(0).permuted(np.resize(np.arange(14, 80), steps))
    values = [round(float(place) * 0.03, 2) for place in places]
    with served(warm), sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=["--no-sandbox"]
        )
        for _ in range(rounds):
            if warm:
                # Until the kernel that waits has run its notebook.
                time.sleep(8)
            page = chromium.new_page(viewport={"width": 1400, "height": 900})
            page.set_default_timeout(120_000)
            ready.append(seconds_until_ready(page))
            page.wait_for_function(SWEPT)
            drags += page.evaluate(DRAG, values)
            page.close()
        chromium.close()
    return {
        "first paint, s": statistics.median(painted for painted, _ in ready),
        "first explained frame, s": statistics.median(explained for _, explained in ready),
        "slider to pixels, ms, median": statistics.median(drags),
        "slider to pixels, ms, 95th percentile": float(np.percentile(drags, 95)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    print(machine())
    ai.keep_freed_memory()
    bare = forward_pass()
    figures = {kind: measure(kind == "warm", options.rounds, options.steps) for kind in ("cold", "warm")}
    rows = [("", "cold kernel", "warm kernel")]
    rows += [(name, f"{figures['cold'][name]:.3g}", f"{figures['warm'][name]:.3g}") for name in figures["cold"]]
    table([*rows, ("bare forward pass of one frame, ms", f"{bare:.3g}", f"{bare:.3g}")])
    keep("latency", {"bare forward pass of one frame, ms": bare, **figures})


if __name__ == "__main__":
    main()
