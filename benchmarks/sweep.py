"""How much a sweep costs: ours beside the bare forward pass, the loop that people write today, and captum.

    python -m benchmarks.sweep [--rounds 7]

48 frames of 448² of one photograph, turned and brightened; milliseconds a frame and ratios, medians of several rounds.
Every contestant runs in a process that keeps its freed memory (`python -m benchmarks.memory` shows what that does).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import captum.attr
import imageio
import numpy as np
import timm
import torch
import torch.nn.functional as F
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import show_cam_on_image
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as TF

import augimpact as ai
from augimpact.augment.apply import augment
from augimpact.data.image import example
from augimpact.explain.gradcam import gradcam
from augimpact.explain.target import Target
from augimpact.render.animate import write_gif
from augimpact.subject import subject_of
from benchmarks.timing import keep, machine, medians, table

FRAMES = 48
SWEEP = ai.Sweep(rotation=(-45, 45), brightness=(1, 1.5), frames=FRAMES)
MODELS: dict[str, Callable[[], ai.Classifier]] = {
    "EfficientNet-Lite0": partial(ai.load_classifier, device="cpu"),
    "ResNet-50 (random weights)": lambda: ai.load_classifier(timm.create_model("resnet50").eval()),
}


def contestants(classifier: ai.Classifier, folder: Path) -> dict[str, Callable[[], object]]:
    image = example("motorcycle")
    module, layer = classifier.module, classifier.find_layers()[0].module
    canvas = classifier.canvas(image)
    shown = torch.from_numpy(ai.analyze(image, SWEEP, classifier).frames).permute(0, 3, 1, 2)
    prepared = classifier.prepare(shown)
    mean, std = torch.tensor(classifier.inputs.mean)[:, None, None], torch.tensor(classifier.inputs.std)[:, None, None]
    settings = SWEEP.settings()
    layer_cam = captum.attr.LayerGradCam(module, layer)

    def bare(batch: int) -> None:
        with torch.no_grad():
            for part in prepared.split(batch):
                module(part)

    def ours(gif: bool) -> None:
        trace = ai.analyze(image, SWEEP, classifier)
        if gif:
            trace.save(folder / "ours.gif", loop="forward")

    def loop_of_today(gif: bool) -> None:
        pictures = []
        with GradCAM(module, [layer]) as cam:
            for degrees, factor in zip(settings["rotation"], settings["brightness"], strict=True):
                frame = TF.rotate(canvas, degrees, interpolation=InterpolationMode.BILINEAR)
                frame = TF.adjust_brightness(frame, factor)
                fed = TF.normalize(
                    TF.resize(frame, [classifier.inputs.size] * 2, antialias=True), mean.flatten(), std.flatten()
                )
                found = cam(fed[None], None)[0]
                large = F.interpolate(torch.from_numpy(found)[None, None], frame.shape[1:], mode="bilinear")[0, 0]
                pictures.append(show_cam_on_image(frame.permute(1, 2, 0).numpy(), large.numpy(), use_rgb=True))
        if gif:
            imageio.mimsave(folder / "today.gif", pictures, duration=80)

    def with_captum() -> None:
        for part in prepared.split(16):
            with torch.no_grad():
                targets = module(part).argmax(dim=1)
            layer_cam.attribute(part, targets)

    return {
        "bare forward pass, batches of 8": partial(bare, 8),
        "bare forward pass, batches of 16": partial(bare, 16),
        "augimpact": partial(ours, gif=False),
        "augimpact with GIF": partial(ours, gif=True),
        "captum LayerGradCam, batches of 16": with_captum,
        "the loop of today": partial(loop_of_today, gif=False),
        "the loop of today with GIF": partial(loop_of_today, gif=True),
    }


def parts(classifier: ai.Classifier, folder: Path) -> dict[str, Callable[[], object]]:
    """What a sweep with its GIF consists of, each part by itself."""
    image = example("motorcycle")
    subject = subject_of(image, classifier)
    trace = ai.analyze(subject, SWEEP, classifier)
    settings = {str(name): column.to_numpy() for name, column in SWEEP.settings().items()}
    shown = torch.from_numpy(trace.frames).permute(0, 3, 1, 2)
    prepared = classifier.prepare(shown)
    layers = classifier.find_layers()
    pictures = trace.pictures()

    def augmenting() -> None:
        for start in range(0, FRAMES, 4):
            augment(subject.canvas, {name: values[start : start + 4] for name, values in settings.items()})

    def explaining() -> None:
        for batch in prepared.split(16):
            gradcam(classifier.module, batch, layers, Target())

    return {
        "preparing the photograph": lambda: subject_of(image, classifier),
        "augmenting": augmenting,
        "scaling down to the model's input": lambda: [classifier.prepare(part) for part in shown.split(16)],
        "forward pass and Grad-CAM": explaining,
        "drawing maps, captions and scores": trace.pictures,
        "encoding the GIF": lambda: write_gif(folder / "part.gif", pictures, loop="forward"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    print(machine())
    # As the command line and the app do, for all contestants alike.
    ai.keep_freed_memory()
    figures = {}
    for name, load in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            seconds = medians(contestants(load(), Path(folder)), rounds)
        milliseconds = {each: time / FRAMES * 1000 for each, time in seconds.items()}
        bare = min(time for each, time in milliseconds.items() if each.startswith("bare"))
        with_gif = milliseconds["augimpact with GIF"]
        print(f"\n{name}: {FRAMES} frames, medians of {rounds} rounds\n")
        table(
            [("", "ms a frame", "of the bare pass", "of ours with GIF")]
            + [
                (each, f"{time:.1f}", f"{time / bare:.2f}×", f"{time / with_gif:.2f}×")
                for each, time in milliseconds.items()
            ]
        )
        with tempfile.TemporaryDirectory() as folder:
            seconds = medians(parts(load(), Path(folder)), rounds)
        print("\nwhere ours spends it, each part by itself\n")
        table([("", "ms a frame"), *((each, f"{time / FRAMES * 1000:.2f}") for each, time in seconds.items())])
        figures[name] = {each: round(float(time), 2) for each, time in milliseconds.items()}
        figures[name]["ratio to the bare pass"] = round(float(milliseconds["augimpact"] / bare), 3)
        figures[name]["times faster than the loop of today, GIF included"] = round(
            float(np.divide(milliseconds["the loop of today with GIF"], with_gif)), 1
        )
    keep("sweep", figures)


if __name__ == "__main__":
    main()
