"""What each method costs beside its peer: pytorch-grad-cam's own call, or captum, on the same batch in the same run.

    python -m benchmarks.methods [--rounds 5] [--only gradcam cam …]

ResNet-50 with random weights and four photographs of 224² (two for FullGrad); the methods that ask the model again for
every channel: ResNet-18 and two of 96². Medians of contestants that take turns. pytorch-grad-cam's guided
backpropagation takes one image at a time, and so its product with Grad-CAM is timed image by image.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import warnings
from collections.abc import Callable
from copy import deepcopy

import captum.attr
import pytorch_grad_cam
import torch
from pytorch_grad_cam import GuidedBackpropReLUModel
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn
from torchvision import models

import augimpact as ai
from augimpact.data.image import EXAMPLES, example
from augimpact.explain.methods import METHODS
from augimpact.explain.target import Target
from benchmarks.timing import keep, machine, medians, table

# The class whose maps both make.
CLASS = 207
# A method may cost at most this many times what its peer does.
LIMITS = dict.fromkeys(METHODS, 1.1) | {"guided-gradcam": 0.5}
CLASSES = {
    "gradcam": pytorch_grad_cam.GradCAM,
    "gradcam++": pytorch_grad_cam.GradCAMPlusPlus,
    "hirescam": pytorch_grad_cam.HiResCAM,
    "layercam": pytorch_grad_cam.LayerCAM,
    "xgradcam": pytorch_grad_cam.XGradCAM,
    "cam": pytorch_grad_cam.GradCAM,
    "eigencam": pytorch_grad_cam.EigenCAM,
    "scorecam": pytorch_grad_cam.ScoreCAM,
    "ablationcam": pytorch_grad_cam.AblationCAM,
    "fullgrad": pytorch_grad_cam.FullGrad,
}


def load(name: str) -> tuple[ai.Classifier, torch.Tensor]:
    """The classifier that a method is timed on, and its batch."""
    torch.manual_seed(0)
    asks_again = name in ("scorecam", "ablationcam")
    module = (models.resnet18 if asks_again else models.resnet50)().eval()
    for each in module.modules():
        # captum's hooks refuse rectifiers that work in place.
        if isinstance(each, nn.ReLU):
            each.inplace = False
    classifier = ai.Classifier(module.to(memory_format=torch.channels_last), size=96 if asks_again else 224)
    names = list(EXAMPLES)[: 2 if METHODS[name].slow else 4]
    canvases = torch.stack([classifier.canvas(example(each)) for each in names])
    return classifier, classifier.prepare((canvases * 255).round().to(torch.uint8))


def peer(name: str, classifier: ai.Classifier, batch: torch.Tensor) -> Callable[[], object]:
    module, layer = classifier.module, classifier.find_layers()[0].module
    if name == "gradient":
        return lambda: captum.attr.Saliency(module).attribute(batch.clone().requires_grad_(), CLASS)
    if name == "guided-gradient":
        return lambda: captum.attr.GuidedBackprop(module).attribute(batch.clone().requires_grad_(), CLASS)
    targets = [ClassifierOutputTarget(CLASS)]
    if name == "guided-gradcam":
        # It leaves other rectifiers in the model than it found.
        swapped = deepcopy(module)
        cam = pytorch_grad_cam.GradCAM(module, [layer])

        def one_by_one() -> None:
            for image in batch.split(1):
                guided = GuidedBackpropReLUModel(swapped)(image.clone(), CLASS)
                guided * cam(image, targets)[0, :, :, None]

        return one_by_one
    cam = CLASSES[name](module, [] if name == "fullgrad" else [layer])
    return lambda: cam(batch.clone(), targets * len(batch))


def compare(name: str, rounds: int) -> dict[str, float]:
    """Median seconds of both, and their ratio."""
    classifier, batch = load(name)
    ours_asked, theirs_asked = classifier, ai.Classifier(deepcopy(classifier.module), size=classifier.inputs.size)
    layers = ours_asked.find_layers()
    contestants: dict[str, Callable[[], object]] = {
        "ours": lambda: METHODS[name].explain(ours_asked.module, batch, layers, Target(CLASS)),
        "peer": peer(name, theirs_asked, batch),
    }
    # Theirs show progress bars and warn at every call.
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seconds = medians(contestants, rounds)
    return {**seconds, "ratio": seconds["ours"] / seconds["peer"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=METHODS, default=list(METHODS))
    arguments = parser.parse_args()
    print(machine())
    # As the command line and the app do, for both alike.
    ai.keep_freed_memory()
    figures = {}
    rows = [("method", "ours, s", "peer, s", "ratio", "at most")]
    for name in arguments.only:
        found = compare(name, arguments.rounds)
        figures[name] = {key: round(value, 3) for key, value in found.items()} | {"at most": LIMITS[name]}
        rows.append(
            (name, f"{found['ours']:.3f}", f"{found['peer']:.3f}", f"{found['ratio']:.2f}×", f"{LIMITS[name]}×")
        )
    table(rows)
    if arguments.only == list(METHODS):
        keep("methods", figures)


if __name__ == "__main__":
    main()
