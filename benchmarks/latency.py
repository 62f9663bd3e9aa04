"""How quick the page is, in a real Chromium: first paint, first explained frame, and from slider event to new pixels.

    python -m benchmarks.latency [--rounds 5] [--steps 40]

Voilà serves the app on this machine; every round opens a fresh page with a kernel of its own, once started when the
page asks for it (cold), once kept waiting, its first sweep computed (warm). The bare forward pass of one frame is
measured in the same run, while no page computes.
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
# Drags a slider: at the start of a refresh of the screen it moves one step, as Chromium hands on what a mouse does; the
# next step comes with the refresh after its picture. Gives the milliseconds until the picture is in the canvas, and
# until the refresh that shows it.
DRAG = """async (values) => {
  const slider = document.querySelector(".row[data-name=brightness] input");
  const tag = document.querySelector(".screen:nth-child(2) .tag");
  const painted = (value) => new Promise((resolve) => {
    const words = `brightness ${value.toFixed(2)}`;
    const observer = new MutationObserver(() => {
      if (!tag.textContent.includes(words)) return;
      observer.disconnect();
      resolve(performance.now());
    });
    observer.observe(tag, { childList: true, characterData: true, subtree: true });
  });
  const refresh = () => new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())));
  const times = [];
  for (const value of values) {
    const began = await refresh();
    const done = painted(value);
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    const pixels = await done;
    times.push([pixels - began, (await refresh()) - began]);
  }
  slider.dispatchEvent(new Event("change", { bubbles: true }));
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
def served(warm: bool, *options: str) -> Iterator[int]:
    """The app, until the block ends; its process id."""
    command = [sys.executable, "-m", "augimpact.cli", "app", "--port", str(PORT), "--warm" if warm else "--no-warm"]
    command += options
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers():
            time.sleep(0.1)
        yield server.pid
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
                # Until the kernel that waits has computed its first sweep.
                time.sleep(8)
            page = chromium.new_page(viewport={"width": 1400, "height": 900})
            page.set_default_timeout(120_000)
            ready.append(seconds_until_ready(page))
            page.wait_for_function(SWEPT)
            if warm:
                # Meanwhile the next kernel is made ready, which takes both cores.
                time.sleep(8)
            drags += page.evaluate(DRAG, values)
            page.close()
        chromium.close()
    return {
        "first paint, s": statistics.median(painted for painted, _ in ready),
        "first explained frame, s": statistics.median(explained for _, explained in ready),
        "slider to pixels, ms, median": statistics.median(pixels for pixels, _ in drags),
        "slider to pixels, ms, 95th percentile": float(np.percentile([pixels for pixels, _ in drags], 95)),
        "slider to the screen's next refresh, ms, median": statistics.median(refresh for _, refresh in drags),
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
