"""Eight pages whose kernels compute on one worker of a cluster, against eight that each compute themselves.

    python -m benchmarks.light [--pages 8] [--rounds 2]

Every page is a real Chromium's, see `benchmarks.sessions`. The worker's memory counts once, and its models with it.
"""

from __future__ import annotations

import argparse
import os

from augimpact.impact.scheduler import own_cluster
from benchmarks.sessions import measure, megabytes
from benchmarks.timing import keep, machine, table

ALL = "all kernels at rest, MB"


def light(pages: int, rounds: int) -> dict[str, float]:
    with own_cluster(1) as client:
        figures = measure(pages, rounds, "--scheduler", client.scheduler.address)
        (worker,) = client.run(os.getpid).values()
        held = megabytes(worker)
    return figures | {"worker, MB": held, "kernels and worker, MB": figures[ALL] + held}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    print(machine())
    full = measure(options.pages, options.rounds)
    full |= {"worker, MB": 0.0, "kernels and worker, MB": full[ALL]}
    figures = {"full": full, "light": light(options.pages, options.rounds)}
    rows = [(f"{options.pages} pages", "full kernels", "light kernels", "light / full")]
    for name, before in full.items():
        after = figures["light"][name]
        rows.append((name, f"{before:.4g}", f"{after:.4g}", f"{after / before:.2f}" if before else "–"))
    table(rows)
    keep("light", {"pages": options.pages, **figures})


if __name__ == "__main__":
    main()
