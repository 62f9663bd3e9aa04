"""Eight pages whose kernels compute on one worker of a cluster, against eight that each compute themselves.

    python -m benchmarks.light [--pages 8] [--rounds 3]

The kernels are those that the app starts; no browser draws, which would take the cores from what is measured. Memory is
what a process has for itself, some seconds after it computed; the worker's counts once, and its models with it. The
preview of one page is measured from the slider's message to the picture that goes out for it. The first row is
one frame without a page, asked here and of the worker in turns.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time
from contextlib import ExitStack
from functools import partial

import augimpact as ai
from augimpact.data.image import UPLOAD_PIXELS
from augimpact.impact.scheduler import own_cluster
from augimpact.widgets.asker import Asker
from augimpact.widgets.choices import state_of
from augimpact.widgets.gallery import Gallery
from augimpact.widgets.model_list import BUILTIN, ModelList
from augimpact.widgets.remote import RemoteAsker, offer_of
from benchmarks.kernel_pages import asked, kernel, resident, told
from benchmarks.timing import keep, machine, medians, table

# Of one page's slider, in each round.
PREVIEWS = "[preview(0.6 + step / 20) for step in range(12)]"
# The data beside is measured once the page rests.
WAIT = """
def wait_for_data():
    while explorer.player.reference is None:
        time.sleep(0.1)
"""
REST_SECONDS = 6


def measure(pages: int, rounds: int, scheduler: str | None) -> dict[str, float]:
    with ExitStack() as stack:
        kernels = [stack.enter_context(kernel(scheduler)) for _ in range(pages)]
        clients = [client for client, _ in kernels]
        for client in clients:
            client.execute(WAIT)
        together(clients, "rest()")
        together(clients, "wait_for_data()")
        sweeps = [max(together(clients, "swept()")) for _ in range(rounds)]
        time.sleep(REST_SECONDS)
        held = [resident(process) for _, process in kernels]
        alone = [told(clients[0], asked(clients[0], PREVIEWS)) for _ in range(rounds)]
        busy = []
        for _ in range(rounds):
            others = [asked(client, "swept()") for client in clients[1:]]
            time.sleep(0.3)
            busy += told(clients[0], asked(clients[0], PREVIEWS))
            for client, request in zip(clients[1:], others, strict=True):
                told(client, request)
    return {
        "kernel, MB": statistics.mean(held),
        "all kernels, MB": sum(held),
        "sweeps at once, s": statistics.median(sweeps),
        "preview while the others rest, ms": statistics.median(itertools.chain(*alone)),
        "preview while the others sweep, ms": statistics.median(busy),
    }


def together(clients: list, expression: str) -> list:
    requests = [asked(client, expression) for client in clients]
    return [told(client, request) for client, request in zip(clients, requests, strict=True)]


def light(pages: int, rounds: int) -> dict[str, float]:
    with own_cluster(1) as client:
        figures = measure(pages, rounds, client.scheduler.address)
        (worker,) = client.run(os.getpid).values()
        held = resident(worker)
    return figures | {"worker, MB": held, "kernels and worker, MB": figures["all kernels, MB"] + held}


def previews() -> dict[str, float]:
    """The median milliseconds of one explained frame, asked here and of the worker in turns; nobody else asks."""
    gallery, models = Gallery(max_pixels=UPLOAD_PIXELS), ModelList([BUILTIN])
    state = state_of(gallery.names, models.names, {})
    brightness = itertools.count()
    with own_cluster(1) as client:
        offer = offer_of([BUILTIN], None, private=True, max_pixels=UPLOAD_PIXELS)
        askers = {"full": Asker(gallery, models)}
        askers["light"] = there = RemoteAsker(gallery, offer, client.scheduler.address, print)

        def ask(name: str) -> None:
            askers[name].explained(state, {"brightness": 1 + next(brightness) % 50 / 50})

        times = medians({name: partial(ask, name) for name in askers}, rounds=60)
        there.close()
    return {name: 1000 * seconds for name, seconds in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(machine())
    ai.keep_freed_memory()
    frame = previews()
    full = measure(options.pages, options.rounds, None)
    full |= {"worker, MB": 0.0, "kernels and worker, MB": full["all kernels, MB"]}
    figures = {"full": full, "light": light(options.pages, options.rounds)}
    for name, each in figures.items():
        figures[name] = {"one frame without a page, ms": frame[name]} | each
    rows = [(f"{options.pages} pages", "full kernels", "light kernels", "light / full")]
    for name, before in figures["full"].items():
        after = figures["light"][name]
        rows.append((name, f"{before:.4g}", f"{after:.4g}", f"{after / before:.2f}" if before else "–"))
    table(rows)
    keep("light", {"pages": options.pages, **figures})


if __name__ == "__main__":
    main()
