"""How often the built-in classifier is right on Imagenette's photographs, seen as this program shows them to it.

    python -m benchmarks.accuracy FOLDER

FOLDER holds one folder for each class, named by its WordNet id, as Imagenette's `val` does.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import timm
import torch
from PIL import Image

import augimpact as ai
from augimpact.data.image import read_image
from benchmarks.timing import keep

# ImageNet's indices of the ten classes, by WordNet id.
CLASSES = {
    "n01440764": 0, "n02102040": 217, "n02979186": 482, "n03000684": 491, "n03028079": 497,
    "n03394916": 566, "n03417042": 569, "n03425413": 571, "n03445777": 574, "n03888257": 701,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    classifier = ai.load_classifier()
    standard = timm.data.create_transform(**timm.data.resolve_model_data_config(classifier.module))

    def ours(image: Image.Image) -> torch.Tensor:
        pixels = (classifier.canvas(image)[None] * 255).round().to(torch.uint8)
        return classifier.prepare(pixels)

    indices = list(CLASSES.values())
    files = sorted(folder.rglob("*.JPEG"))
    figures: dict[str, object] = {"photographs": len(files)}
    for name, prepare in {
        "as augimpact shows them": ours,
        "timm's preprocessing": lambda each: standard(each)[None],
    }.items():
        right = 0
        for file in files:
            with torch.no_grad():
                logits = classifier.module(prepare(read_image(file)))[0]
            right += indices[int(logits[indices].argmax())] == CLASSES[file.parent.name]
        print(
            f"{classifier.name}, {name}: {right} of {len(files)} right, {right / len(files):.1%} among the ten classes"
        )
        figures[name] = round(right / len(files), 4)
    keep("accuracy", figures)


if __name__ == "__main__":
    main()
