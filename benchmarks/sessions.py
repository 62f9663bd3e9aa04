"""Many pages at once: the memory of each page's kernel, and how long a sweep and a slider take when all compute.

    python -m benchmarks.sessions [--counts 1 2 4 8] [--rounds 2]

Every page is a real Chromium's. Memory is PSS: what kernels share is divided among them. The rest: after a sweep, when
freed memory has been given back.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import time
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.latency import DRAG, SWEPT, seconds_until_ready, served
from benchmarks.timing import keep, machine, table

# Begins a sweep; what was said of the last one is forgotten, so that the end of this one can be told.
SWEEP = """() => {
  document.querySelector(".message").textContent = "";
  document.querySelector(".controls button.primary").click();
}"""
VALUES = [0.6, 1.2, 0.9, 1.5, 0.75, 1.35]
REST_SECONDS = 6


def kernels(server: int) -> list[int]:
    """The kernels of the server with this process id."""
    children = psutil.Process(server).children(recursive=True)
    return [each.pid for each in children if "ipykernel_launcher" in each.cmdline()]


def megabytes(process: int) -> float:
    """The proportional share of memory of a process."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def sweep_all(pages: list[Page]) -> float:
    """The seconds until every page's sweep, begun at once, is painted."""
    began = time.perf_counter()
    for page in pages:
        page.evaluate(SWEEP)
    for page in pages:
        page.wait_for_function(f"{SWEPT} && document.querySelector('.cancel').hidden")
    return time.perf_counter() - began


def measure(count: int, rounds: int, *options: str) -> dict[str, float]:
    with served(False, *options) as server, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=["--no-sandbox"]
        )
        pages, firsts = [], []
        for _ in range(count):
            page = chromium.new_page(viewport={"width": 1400, "height": 900})
            page.set_default_timeout(300_000)
            firsts.append(seconds_until_ready(page)[1])
            page.wait_for_function(SWEPT)
            pages.append(page)
        swept = statistics.median(sweep_all(pages) for _ in range(rounds))
        busy = [megabytes(each) for each in kernels(server)]
        time.sleep(REST_SECONDS)
        resting = [megabytes(each) for each in kernels(server)]
        alone = [pixels for pixels, _ in pages[0].evaluate(DRAG, VALUES)]
        # The others sweep while one's slider is dragged.
        for page in pages[1:]:
            page.evaluate(SWEEP)
        drags = [pixels for pixels, _ in pages[0].evaluate(DRAG, VALUES)]
        chromium.close()
    return {
        "kernel after a sweep, MB": statistics.mean(busy),
        "kernel at rest, MB": statistics.mean(resting),
        "all kernels at rest, MB": sum(resting),
        "first explained frame, s": statistics.median(firsts),
        "sweeps at once, s": swept,
        "slider to pixels while the others rest, ms": statistics.median(alone),
        "slider to pixels while the others sweep, ms": statistics.median(drags),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    print(machine())
    figures = {str(count): measure(count, options.rounds) for count in options.counts}
    names = next(iter(figures.values()))
    rows = [
        ("pages", *figures),
        *(
            (name, *(f"{each[name]:.{2 if name.endswith(' s') else 0}f}" for each in figures.values()))
            for name in names
        ),
    ]
    table(rows)
    keep("sessions", figures)


if __name__ == "__main__":
    main()
