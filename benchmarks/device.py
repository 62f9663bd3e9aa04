"""Frames a second on each device that is at hand, in each precision, beside the bare forward pass.

    python -m benchmarks.device [--frames 192] [--rounds 5] [--model resnet50]

`augimpact` is all of it: augmenting, scaling down, explaining, and frames, maps and scores on the host. Where there is
a GPU, also the share of the time in which it had nothing to do, by torch's profiler, and how often the program waits
for it in each chunk, by CUDA's own report of synchronisations: 0 is right.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from functools import partial

import timm
import torch
from torch.profiler import ProfilerActivity, profile

import augimpact as ai
from augimpact.asking import CHUNK, PRECISIONS
from augimpact.data.image import example
from augimpact.models.hooks import evaluating
from augimpact.subject import subject_of
from benchmarks.timing import keep, machine, medians, table

PRECISIONS_ON = {"cpu": ("float32", "bfloat16"), "cuda": tuple(PRECISIONS), "mps": ("float32", "float16")}


def devices() -> list[str]:
    return ["cpu"] + ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available()


def wait_for(device: str) -> None:
    """Until all that was asked of the device is done."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def contestants(classifier: ai.Classifier, sweep: ai.Sweep, precision: str) -> dict[str, Callable[[], object]]:
    device = classifier.device.type
    subject = subject_of(example("motorcycle"), classifier)
    trace = ai.analyze(subject, sweep, classifier)
    prepared = classifier.prepare(torch.from_numpy(trace.frames).to(device).permute(0, 3, 1, 2))
    dtype = PRECISIONS[precision]

    def bare() -> None:
        autocast = torch.autocast(device, dtype, enabled=dtype is not torch.float32)
        with torch.inference_mode(), evaluating(classifier.module), autocast:
            for part in prepared.split(CHUNK.get(device, 16)):
                classifier.module(part)
        wait_for(device)

    return {
        "bare forward pass": bare,
        "augimpact": partial(ai.analyze, subject, sweep, classifier, precision=precision),
    }


def idle_share(run: Callable[[], object]) -> float:
    """The share of the run in which no kernel was on the GPU."""
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as recorded:
        run()
        torch.cuda.synchronize()
    kernels = sorted(
        (event.time_range.start, event.time_range.end)
        for event in recorded.events()
        if event.device_type == torch.autograd.DeviceType.CUDA
    )
    busy, reached = 0.0, kernels[0][0]
    for start, end in kernels:
        busy += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return 1 - busy / (reached - kernels[0][0])


def waits(run: Callable[[], object]) -> int:
    """How often the program waited for the GPU."""
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchronizing" in str(each.message) for each in caught)


def waits_in_a_chunk(classifier: ai.Classifier, precision: str) -> int:
    """What one chunk more adds to how often the program waits."""
    subject = subject_of(example("motorcycle"), classifier)
    few, more = (
        waits(partial(ai.analyze, subject, ai.Sweep(rotation=(-45, 45), frames=frames), classifier,
                      precision=precision, chunk=16))
        for frames in (31, 47)
    )  # fmt: skip
    return more - few


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="resnet50")
    options = parser.parse_args()
    print(machine())
    ai.keep_freed_memory()
    sweep = ai.Sweep(rotation=(-45, 45), brightness=(1, 1.5), frames=options.frames)
    rows, figures = (
        [("device", "precision", "bare, frames/s", "augimpact, frames/s", "ratio", "idle", "waits a chunk")],
        {},
    )
    for device in devices():
        for precision in PRECISIONS_ON[device]:
            torch.manual_seed(0)
            classifier = ai.load_classifier(timm.create_model(options.model).eval().to(device))
            runs = contestants(classifier, sweep, precision)
            speed = {name: options.frames / time for name, time in medians(runs, options.rounds).items()}
            found = {**speed, "ratio": speed["bare forward pass"] / speed["augimpact"]}
            if device == "cuda":
                found |= {"idle": idle_share(runs["augimpact"]), "waits": waits_in_a_chunk(classifier, precision)}
            figures[f"{device} {precision}"] = {name: round(float(value), 3) for name, value in found.items()}
            idle = f"{found['idle']:.1%}" if "idle" in found else "–"
            rows.append(
                (device, precision, f"{speed['bare forward pass']:.0f}", f"{speed['augimpact']:.0f}",
                 f"{found['ratio']:.2f}×", idle, str(found.get("waits", "–")))
            )  # fmt: skip
    table(rows)
    keep("device", {"model": options.model, "frames": options.frames, **figures})


if __name__ == "__main__":
    main()
